import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyGraph, type Descriptor } from '../../src/oci/index.ts';
import { MemoryTarget, openFolder, openSink, openSource } from '../../src/transports/index.ts';
import { run } from '../e2e/run-cli.ts';
import { pushImage, pushIndex } from '../registry/made-images.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-dir-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(path: string, make: (to: MemoryTarget) => Promise<Descriptor>): Promise<Descriptor> {
  const memory = new MemoryTarget();
  const root = await make(memory);
  await using sink = await openSink({ kind: 'dir', path, reference: '' });
  await copyGraph(memory, sink, root, { names: [''] });
  await sink.commit();
  return root;
}

/** Everything comes back, and is what it was. */
async function readBack(path: string): Promise<Descriptor> {
  await using source = await openSource({ kind: 'dir', path, reference: '' });
  const root = await source.resolve('');
  await copyGraph(source, new MemoryTarget(), root);
  return root;
}

describe('dir:', () => {
  it.each([
    ['an image', (to: MemoryTarget) => pushImage(to), 5],
    ['an image of docker', (to: MemoryTarget) => pushImage(to, undefined, { docker: true }), 5],
    ['one whose layers are the same', (to: MemoryTarget) => pushImage(to, undefined, { layers: ['a', 'a'] }), 4],
    ['an index', (to: MemoryTarget) => pushIndex(to), 9],
  ])('keeps %s', async (_, make, files) => {
    const path = join(folder, 'image');
    const root = await write(path, make);
    expect(await readBack(path)).toEqual(root);
    expect(await readdir(path)).toHaveLength(files);
    expect(await readFile(join(path, 'version'), 'utf8')).toBe('Directory Transport Version: 1.1\n');
    expect(await readdir(folder)).toEqual(['image']);
  });

  it('is replaced whole, and only where it is one', async () => {
    const path = join(folder, 'image');
    await write(path, (to) => pushImage(to, undefined, { layers: ['old'] }));
    const root = await write(path, (to) => pushImage(to, undefined, { layers: ['new'] }));
    expect(await readBack(path)).toEqual(root);
    const other = join(folder, 'other');
    await mkdir(other);
    await writeFile(join(other, 'thesis.txt'), 'x');
    await expect(write(other, pushImage)).rejects.toMatchObject({ code: 'INVALID_LOCATION' });
    expect(await readdir(other)).toEqual(['thesis.txt']);
    expect((await readdir(folder)).sort()).toEqual(['image', 'other']);
  });

  it.each([
    ['its version is that of something else', { version: '1.2.3\n' }],
    ['it has more than an image', { version: 'Directory Transport Version: 1.1\n', 'thesis.txt': 'x' }],
    ['it only has the name of a manifest', { 'manifest.json': '{}' }],
  ])('is not made of a folder where %s', async (_, files) => {
    const path = join(folder, 'project');
    await mkdir(path);
    for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
    await expect(write(path, pushImage)).rejects.toMatchObject({ code: 'INVALID_LOCATION' });
    expect(await readdir(path)).toEqual(Object.keys(files).sort());
  });

  it('leaves nothing of what was not finished', async () => {
    {
      await using sink = await openSink({ kind: 'dir', path: join(folder, 'image'), reference: '' });
      await pushImage(sink);
    }
    expect(await readdir(folder)).toEqual([]);
  });

  const hostile: readonly (readonly [string, (path: string) => Promise<unknown>, string])[] = [
    ['no manifest', (path) => rm(join(path, 'manifest.json')), 'NOT_A_LAYOUT'],
    [
      'a manifest of two kinds',
      (path) => writeFile(join(path, 'manifest.json'), '{"schemaVersion":2,"layers":[],"manifests":[]}'),
      'INVALID_MANIFEST',
    ],
    ['a blob of other bytes', (path) => overwriteBlobs(path), 'DIGEST_MISMATCH'],
    ['a device in place of a blob', (path) => overwriteBlobs(path, true), 'INVALID_LAYOUT'],
  ];
  it.each(hostile)('with %s is refused', async (_, spoil, code) => {
    const path = join(folder, 'image');
    await write(path, pushImage);
    await spoil(path);
    await expect(readBack(path)).rejects.toMatchObject(
      code === 'NOT_A_LAYOUT' || code === 'INVALID_MANIFEST' ? { code } : { cause: { code } },
    );
  });

  it('that is not there says so', async () => {
    await expect(openFolder(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  const withSkopeo = existsSync('/usr/bin/skopeo') ? it : it.skip;
  withSkopeo('goes to skopeo and comes from it (needs skopeo)', async () => {
    const [ours, layout, theirs] = ['ours', 'layout', 'theirs'].map((name) => join(folder, name));
    const root = await write(ours ?? '', (to) => pushIndex(to));
    const policy = join(folder, 'policy.json');
    await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
    const skopeo = async (from: string, to: string) => {
      const result = await run('skopeo', ['--policy', policy, 'copy', '--all', '--preserve-digests', from, to]);
      expect(result).toMatchObject({ code: 0 });
    };
    await skopeo(`dir:${ours}`, `oci:${layout}:x`);
    await skopeo(`oci:${layout}:x`, `dir:${theirs}`);
    expect(await readBack(theirs ?? '')).toEqual(root);
  });
});

async function overwriteBlobs(path: string, device = false): Promise<void> {
  for (const name of await readdir(path)) {
    if (!/^[0-9a-f]{64}$/.test(name)) continue;
    const size = (await readFile(join(path, name))).byteLength;
    await rm(join(path, name));
    await (device ? symlink('/dev/zero', join(path, name)) : writeFile(join(path, name), 'x'.repeat(size)));
  }
}
