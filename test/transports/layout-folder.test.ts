import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readdir, readFile, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hexOf, mediaTypes, parseIndex } from '../../src/oci/index.ts';
import { openLayout } from '../../src/transports/index.ts';
import { imageOf, pushArtifact, pushImage, type TestImage } from '../contracts/target-contract.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'layout-folder-'));
});
afterEach(() => rm(root, { recursive: true }));

const write = (name: string, content: string): Promise<void> => writeFile(join(root, name), content);
const blobFile = (image: TestImage): string => join(root, 'blobs', 'sha256', hexOf(image.layer.digest));

describe('openLayout', () => {
  it('refuses a folder that is no layout', async () => {
    await expect(openLayout(root)).rejects.toMatchObject({ code: 'NOT_A_LAYOUT' });
    await expect(openLayout(join(root, 'absent'))).rejects.toMatchObject({ code: 'NOT_A_LAYOUT' });
  });

  it('does not make a layout of a folder with other things in it', async () => {
    await write('precious.txt', 'x');
    await expect(openLayout(root, { create: true })).rejects.toMatchObject({ code: 'NOT_A_LAYOUT' });
    expect(await readdir(root)).toEqual(['precious.txt']);
  });

  it('makes folders as needed, and opens what it made', async () => {
    const path = join(root, 'a', 'b');
    await openLayout(path, { create: true });
    await openLayout(path, { create: true });
    expect((await readdir(path)).toSorted()).toEqual(['.slipway', 'blobs', 'index.json', 'oci-layout']);
  });

  it.each([
    ['another version', '{"imageLayoutVersion":"2.0.0"}'],
    ['no version', '{}'],
    ['null', 'null'],
    ['no JSON', 'x'],
  ])('refuses an oci-layout file with %s', async (_, content) => {
    await write('oci-layout', content);
    await expect(openLayout(root)).rejects.toMatchObject({ code: 'INVALID_LAYOUT' });
  });
});

describe('a hostile layout', () => {
  const openWith = async (index: string): ReturnType<typeof openLayout> => {
    await openLayout(root, { create: true });
    await write('index.json', index);
    return openLayout(root);
  };

  it('with an index.json of 1 GiB is refused before it is read', async () => {
    const layout = await openWith('{}');
    await truncate(join(root, 'index.json'), 1024 ** 3);
    await expect(layout.resolve('v1')).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  it('with null for manifests is empty', async () => {
    const layout = await openWith('{"schemaVersion":2,"manifests":null}');
    await expect(layout.resolve('')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await layout.list()).toEqual([]);
    await layout.tag((await pushImage(layout, 'a')).descriptor, 'v1');
    expect(await layout.list()).toHaveLength(1);
  });

  it('with a name for two images does not choose', async () => {
    const named = (name: string): object => ({
      ...imageOf(name).descriptor,
      annotations: { 'org.opencontainers.image.ref.name': 'v1' },
    });
    const layout = await openWith(JSON.stringify({ schemaVersion: 2, manifests: [named('a'), named('b')] }));
    await expect(layout.resolve('v1')).rejects.toMatchObject({ code: 'AMBIGUOUS_REFERENCE' });
    expect((await layout.resolve(imageOf('b').descriptor.digest)).digest).toBe(imageOf('b').descriptor.digest);
  });

  it('with a name twice for one image gives that', async () => {
    const entry = { ...imageOf('a').descriptor, annotations: { 'org.opencontainers.image.ref.name': 'v1' } };
    const layout = await openWith(JSON.stringify({ schemaVersion: 2, manifests: [entry, entry] }));
    expect(await layout.resolve('v1')).toEqual(imageOf('a').descriptor);
  });

  it('with a digest that leads out of the folder is refused', async () => {
    const entry = { mediaType: mediaTypes.ociManifest, digest: 'sha256:../../../etc/passwd', size: 1 };
    const layout = await openWith(JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
    await expect(layout.resolve('')).rejects.toMatchObject({ code: 'INVALID_DESCRIPTOR' });
  });

  it('with a blob cut short does not have that blob, and takes it anew', async () => {
    const layout = await openLayout(root, { create: true });
    const image = await pushImage(layout, 'a');
    await truncate(blobFile(image), 3);
    expect(await layout.exists(image.layer)).toBe(false);
    await expect(layout.fetch(image.layer)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
    await pushImage(layout, 'a');
    expect(await readFile(blobFile(image), 'utf8')).toBe('layer of a');
  });

  it('with a blob of other bytes fails before the end of the stream', async () => {
    const layout = await openLayout(root, { create: true });
    const image = await pushImage(layout, 'a');
    await writeFile(blobFile(image), 'x'.repeat(image.layer.size));
    const stream = await layout.fetch(image.layer);
    await expect(stream.toArray()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  it('with a device or folder for a blob does not hang', async () => {
    const layout = await openLayout(root, { create: true });
    const image = await pushImage(layout, 'a');
    await rm(blobFile(image));
    await symlink('/dev/zero', blobFile(image));
    await expect(layout.fetch(image.layer)).rejects.toMatchObject({ code: 'INVALID_LAYOUT' });
    await rm(blobFile(image));
    await mkdir(blobFile(image));
    await expect(layout.fetch(image.layer)).rejects.toMatchObject({ code: 'INVALID_LAYOUT' });
  });
});

describe('names in a layout', () => {
  it('are not needed for its only image', async () => {
    const layout = await openLayout(root, { create: true });
    const image = await pushImage(layout, 'a');
    await layout.tag(image.descriptor, '');
    expect(await layout.resolve('')).toEqual(image.descriptor);
    await layout.tag(image.descriptor, 'v1');
    await layout.tag(image.descriptor, 'v2');
    expect(await layout.resolve('')).toEqual(image.descriptor);
    expect(await layout.list()).toEqual([{ descriptor: image.descriptor, names: ['v1', 'v2'] }]);
  });

  it('are not needed beside signatures either', async () => {
    const layout = await openLayout(root, { create: true });
    const image = await pushImage(layout, 'a');
    await pushArtifact(layout, image.descriptor, 'application/vnd.test.signature');
    await layout.tag(image.descriptor, 'v1');
    expect(await layout.resolve('')).toEqual(image.descriptor);
  });

  it('are needed, and told, where there are several', async () => {
    const layout = await openLayout(root, { create: true });
    await layout.tag((await pushImage(layout, 'a')).descriptor, 'v1');
    await layout.tag((await pushImage(layout, 'b')).descriptor, 'v2');
    await expect(layout.resolve('')).rejects.toMatchObject({ code: 'AMBIGUOUS_REFERENCE', hint: 'name one of v1, v2' });
    await expect(layout.resolve('v3')).rejects.toMatchObject({ code: 'NOT_FOUND', hint: 'it has v1, v2' });
  });

  it('may be full ones, as BuildKit writes them', async () => {
    const layout = await openLayout(root, { create: true });
    const image = await pushImage(layout, 'a');
    const annotations = {
      'io.containerd.image.name': 'docker.io/library/app:v1',
      'org.opencontainers.image.ref.name': 'v1',
    };
    await write('index.json', JSON.stringify({ schemaVersion: 2, manifests: [{ ...image.descriptor, annotations }] }));
    for (const name of ['v1', 'app:v1', 'docker.io/library/app:v1', `@${image.descriptor.digest}`]) {
      expect(await layout.resolve(name)).toEqual(image.descriptor);
    }
    expect(await layout.list()).toEqual([{ descriptor: image.descriptor, names: ['docker.io/library/app:v1'] }]);
  });

  it('with line breaks are refused', async () => {
    const layout = await openLayout(root, { create: true });
    const image = await pushImage(layout, 'a');
    await expect(layout.tag(image.descriptor, 'a\nb')).rejects.toMatchObject({ code: 'INVALID_LOCATION' });
  });

  it('of members that we do not know stay', async () => {
    const layout = await openLayout(root, { create: true });
    await write('index.json', '{"schemaVersion":2,"manifests":[],"annotations":{"a":"b"}}');
    await layout.tag((await pushImage(layout, 'a')).descriptor, 'v1');
    expect(parseIndex(await readFile(join(root, 'index.json'))).annotations).toEqual({ a: 'b' });
  });
});

describe('several at once', () => {
  it('in one process lose no name', async () => {
    const layouts = await Promise.all(Array.from({ length: 4 }, () => openLayout(root, { create: true })));
    const image = await pushImage(await openLayout(root), 'a');
    await Promise.all(layouts.map((layout, at) => layout.tag(image.descriptor, `v${at}`)));
    expect((await layouts[0]?.list())?.[0]?.names.toSorted()).toEqual(['v0', 'v1', 'v2', 'v3']);
  });

  it('in three processes lose no name', async () => {
    const layout = await openLayout(root, { create: true });
    await pushImage(layout, 'a');
    const module = fileURLToPath(new URL('../../src/transports/index.ts', import.meta.url));
    const program = `
      const { openLayout } = await import(${JSON.stringify(module)});
      const layout = await openLayout(process.argv[1]);
      const descriptor = ${JSON.stringify(imageOf('a').descriptor)};
      for (let at = 0; at < 10; at += 1) await layout.tag(descriptor, process.argv[2] + at);
    `;
    const run = async (name: string): Promise<unknown> => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, root, name], { stdio: 'inherit' });
      return (await once(child, 'exit'))[0];
    };
    expect(await Promise.all(['a', 'b', 'c'].map(run))).toEqual([0, 0, 0]);
    expect((await layout.list())[0]?.names).toHaveLength(30);
  });

  it('removes what a process left that died a day ago, nothing younger', async () => {
    const layout = await openLayout(root, { create: true });
    const young = join(root, '.slipway', 'young.part');
    const old = join(root, '.slipway', 'old.part');
    for (const path of [young, old]) await (await open(path, 'w')).close();
    const before = Date.now() / 1000 - 2 * 24 * 60 * 60;
    await utimes(old, before, before);
    await layout.tag((await pushImage(layout, 'a')).descriptor, 'v1');
    expect((await readdir(join(root, '.slipway'))).toSorted()).toEqual(['lock', 'young.part']);
  });
});
