import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { describe as describeContent, digestOf, fetchBytes, mediaTypes } from '../../src/oci/index.ts';
import { openStore, type Store } from '../../src/store/index.ts';
import { buildImage } from './make-image.ts';
import { asRoot, isRoot, ScratchStore, testPrivileges } from './scratch-store.ts';
import { mountSmall } from './small-disk.ts';

const rootIt = isRoot ? it : it.skip;
const program = fileURLToPath(new URL('store-child.ts', import.meta.url));

function start(scratch: ScratchStore, what: string, number = 0): ChildProcess {
  const args = ['--disable-warning=ExperimentalWarning', program, scratch.root, what, String(number)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function killWhenReady(child: ChildProcess): Promise<void> {
  if (child.stdout !== null) await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
}

async function finished(child: ChildProcess): Promise<number | null> {
  await once(child, 'close');
  return child.exitCode;
}

function expectNoGarbage(scratch: ScratchStore): void {
  expect(scratch.files('snapshots')).toEqual(['.trash']);
  expect(scratch.files('snapshots/.trash')).toEqual([]);
  expect(scratch.files('ingest')).toEqual([]);
  expect(scratch.files('containers')).toEqual([]);
  expect(scratch.files('locks')).toEqual([]);
}

describe(`a process killed with${asRoot}`, () => {
  const points = ['a view being written', 'a layer made but not committed', 'a blob coming in', 'a container'];
  (isRoot ? it.each(points) : it.skip.each(points))('%s leaves nothing after the next command', async (what) => {
    await using scratch = new ScratchStore();
    await killWhenReady(start(scratch, what));
    expect(scratch.files('locks').length).toBeGreaterThan(0);
    const reaped: string[] = [];
    const store = await scratch.open({ reapContainer: (_, id) => void reaped.push(id) });
    await store.close();
    expect(reaped).toEqual(what === 'a container' ? ['c1'] : []);
    expectNoGarbage(scratch);
  });

  rootIt('an image that is there keeps it', async () => {
    await using scratch = new ScratchStore();
    await killWhenReady(start(scratch, 'an image that is there'));
    const store = await scratch.open();
    expect(store.images.find('kept')?.names).toEqual(['docker.io/library/kept:latest']);
    await expectSound(store);
  });

  rootIt('work at any moment leaves a sound store', async () => {
    await using scratch = new ScratchStore();
    for (const delay of [150, 220, 260, 300, 350, 420]) {
      const child = start(scratch, 'many images');
      const timer = setTimeout(() => child.kill('SIGKILL'), delay);
      await once(child, 'close');
      clearTimeout(timer);
      const store = await scratch.open();
      await expectSound(store);
      await store.close();
      expect(scratch.files('locks')).toEqual([]);
    }
  });

  it('a blob in its place but not in the index has it adopted', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const content = Buffer.from('as a crash between rename and commit leaves it');
    const descriptor = describeContent(mediaTypes.ociLayer, content);
    fs.writeFileSync(path.join(scratch.root, 'blobs/sha256', descriptor.digest.slice(7)), content);
    expect(await store.target.exists(descriptor)).toBe(false);
    await store.target.push(descriptor, content);
    expect(Buffer.from(await fetchBytes(store.target, descriptor))).toEqual(content);
    expect(scratch.files('ingest')).toEqual([]);
  });

  it('a damaged blob in its place has it replaced', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const content = Buffer.from('good bytes');
    const descriptor = describeContent(mediaTypes.ociLayer, content);
    await store.target.push(descriptor, content);
    const file = path.join(scratch.root, 'blobs/sha256', descriptor.digest.slice(7));
    fs.chmodSync(file, 0o644);
    fs.writeFileSync(file, 'evil bytes');
    await expect(fetchBytes(store.target, descriptor)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(await store.target.exists(descriptor)).toBe(false);
    await store.target.push(descriptor, content);
    expect(Buffer.from(await fetchBytes(store.target, descriptor))).toEqual(content);
  });
});

describe(`several processes at once${asRoot}`, () => {
  rootIt('open a new store together', async () => {
    await using scratch = new ScratchStore();
    const children = [0, 1, 2, 3].map((number) => start(scratch, '', number));
    expect(await Promise.all(children.map(finished))).toEqual([0, 0, 0, 0]);
    await expectSound(await scratch.open());
  });

  rootIt('make and name the same images while others collect garbage', async () => {
    await using scratch = new ScratchStore();
    const work = ['many images', 'many images', 'collect garbage', 'many images'];
    const children = work.map((what, number) => start(scratch, what, number));
    expect(await Promise.all(children.map(finished))).toEqual([0, 0, 0, 0]);
    const store = await scratch.open();
    expect(store.images.list().filter(({ names }) => names.some((name) => name.includes('/image:')))).toHaveLength(12);
    await expectSound(store);
  });
});

describe(`a full disk${asRoot}`, () => {
  rootIt('is said plainly and leaves nothing', async () => {
    const small = fs.mkdtempSync('/dev/shm/slipway-small-');
    await mountSmall(small, async (root) => {
      const store = await openStore({ root, privileges: testPrivileges, snapshotter: 'overlay' });
      const content = Buffer.alloc(8 << 20, 'x');
      const pushed = store.target.push(describeContent(mediaTypes.ociLayer, content), content);
      await expect(pushed).rejects.toMatchObject({ name: 'StoreError', code: 'DISK_FULL' });
      expect(fs.readdirSync(`${root}/ingest`)).toEqual([]);
      expect(fs.readdirSync(`${root}/blobs/sha256`)).toEqual([]);
      await buildImage(store, [{ f: 'fits' }], ['small']);
      const tooLarge = buildImage(store, [{ f: 'y'.repeat(8 << 20) }], ['large']);
      await expect(tooLarge).rejects.toThrow();
      await store.close();
    });
    fs.rmdirSync(small);
  });
});

/** Each name resolves to content that is whole; each layer's snapshot is there or can be had. */
async function expectSound(store: Store): Promise<void> {
  for (const image of store.images.list()) {
    await store.unpack(image.config.diffIds);
    expect(digestOf(await store.content.read(image.id))).toBe(image.id);
    for (const name of image.names) {
      const manifest = await store.target.resolve(name);
      expect(await store.target.exists(manifest)).toBe(true);
    }
  }
}
