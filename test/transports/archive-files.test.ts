import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Header } from 'tar';
import { digestOf, fetchBytes, hexOf, mediaTypes, parseManifest, serializeIndex } from '../../src/oci/index.ts';
import {
  createDockerArchive,
  createOciArchive,
  openDockerArchive,
  openOciArchive,
  type TransportSink,
} from '../../src/transports/index.ts';
import { imageOf, pushImage } from '../contracts/target-contract.ts';

let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archive-files-'));
  path = join(folder, 'image.tar');
});
afterEach(() => rm(folder, { recursive: true }));

async function fill(sink: TransportSink, names = ['a', 'b']): Promise<void> {
  for (const name of names) await sink.tag((await pushImage(sink, name)).descriptor, `me/${name}:1`);
}

async function saved(create: typeof createOciArchive, names?: string[]): Promise<void> {
  await using sink = await create(path);
  await fill(sink, names);
  await sink.commit();
}

type Member = readonly [path: string, content: string | Buffer | { readonly link: string; readonly hard?: boolean }];

function tarOf(members: readonly Member[]): Buffer {
  const parts: Buffer[] = [];
  for (const [name, content] of members) {
    const isLink = typeof content === 'object' && 'link' in content;
    const body = isLink ? Buffer.alloc(0) : Buffer.from(content);
    const header = new Header({
      path: name,
      size: body.byteLength,
      mode: 0o644,
      type: isLink ? (content.hard === true ? 'Link' : 'SymbolicLink') : 'File',
      ...(isLink ? { linkpath: content.link } : {}),
    });
    const block = Buffer.alloc(512);
    header.encode(block);
    parts.push(block, body, Buffer.alloc((512 - (body.byteLength % 512)) % 512));
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

describe('an archive', () => {
  it('is the same bytes for the same images, in whatever order they came', async () => {
    const bytes: Buffer[] = [];
    for (const names of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      await saved(createDockerArchive, names);
      bytes.push(await readFile(path));
    }
    expect(bytes[0]?.equals(bytes[1] as Buffer)).toBe(true);
  });

  it('carries the time it is given', async () => {
    await using sink = await createOciArchive(path, { mtime: 1_700_000_000 });
    await fill(sink);
    await sink.commit();
    expect(new Header(await readFile(path)).mtime).toEqual(new Date(1_700_000_000_000));
  });

  it('leaves nothing behind that is not committed', async () => {
    {
      await using sink = await createOciArchive(path);
      await fill(sink);
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it('replaces an older one only when it is complete', async () => {
    await writeFile(path, 'older');
    await using sink = await createOciArchive(path);
    await fill(sink);
    expect(await readFile(path, 'utf8')).toBe('older');
    await sink.commit();
    expect(await readdir(folder)).toEqual(['image.tar']);
  });

  it('of nothing is refused', async () => {
    await using sink = await createOciArchive(path);
    await pushImage(sink, 'untagged');
    await expect(sink.commit()).rejects.toMatchObject({ code: 'NOTHING_TAGGED' });
  });

  it('is not put in place of a folder', async () => {
    await expect(createOciArchive(folder)).rejects.toMatchObject({ code: 'INVALID_LOCATION' });
  });

  it('goes into a stream, which stays open', async () => {
    const stream = new PassThrough({ highWaterMark: 10 * 1024 * 1024 });
    await using sink = await createDockerArchive(stream);
    await fill(sink);
    await sink.commit();
    expect(stream.writableEnded).toBe(false);
    stream.end();
    await writeFile(path, await buffer(stream));
    await using source = await openDockerArchive(path);
    expect(await source.list()).toHaveLength(2);
  });

  it('does not replace a device', async () => {
    await using sink = await createOciArchive('/dev/null');
    await fill(sink);
    await sink.commit();
    const { stdout } = spawn('stat', ['-c', '%F', '/dev/null']);
    expect((await buffer(stdout)).toString()).toContain('character special file');
  });

  it('with a sha512 blob is read again', async () => {
    await using sink = await createOciArchive(path);
    await fill(sink, ['a']);
    const content = Buffer.from('long');
    const descriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf(content, 'sha512'), size: 4 };
    await sink.push(descriptor, content);
    await sink.commit();
    await using source = await openOciArchive(path);
    expect(Buffer.from(await fetchBytes(source, descriptor)).toString()).toBe('long');
  });

  it.each([
    ['gzip', createGzip],
    ['zstd', createZstdCompress],
  ])('compressed with %s is read, and leaves no temporary file', async (_, compress) => {
    await saved(createOciArchive);
    const packed = join(folder, 'packed');
    await pipeline(createReadStream(path), compress(), createWriteStream(packed));
    await using source = await openOciArchive(packed, { spoolFolder: folder });
    expect(await readdir(folder)).toEqual(['image.tar', 'packed']);
    expect(await source.resolve('me/a:1')).toEqual(imageOf('a').descriptor);
    expect(Buffer.from(await fetchBytes(source, imageOf('b').layer)).toString()).toBe('layer of b');
  });

  it('that unpacks to more than is allowed is refused', async () => {
    const bomb = join(folder, 'bomb');
    await pipeline(Readable.from([Buffer.alloc(5_000_000)]), createGzip(), createWriteStream(bomb));
    const opened = openOciArchive(bomb, { maxSize: 1_000_000, spoolFolder: folder });
    await expect(opened).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(await readdir(folder)).toEqual(['bomb']);
  });

  it('is read from a stream', async () => {
    await saved(createOciArchive);
    await using source = await openOciArchive(createReadStream(path));
    expect(await source.list()).toHaveLength(2);
  });

  it('is only read once open', async () => {
    await saved(createOciArchive);
    const source = await openOciArchive(path);
    const image = imageOf('c');
    await expect(source.push(image.descriptor, image.content)).rejects.toMatchObject({ code: 'READ_ONLY' });
    await expect(source.tag(imageOf('a').descriptor, 'x')).rejects.toMatchObject({ code: 'READ_ONLY' });
    await source[Symbol.asyncDispose]();
    await expect(source.fetch(imageOf('a').layer)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('what is no sound archive', () => {
  const sound = tarOf([['a', 'content']]);
  it.each<[string, Buffer, string]>([
    ['empty', Buffer.alloc(0), 'NOT_AN_ARCHIVE'],
    ['text', Buffer.from('x'.repeat(2000)), 'INVALID_ARCHIVE'],
    ['cut within a header', sound.subarray(0, 300), 'INVALID_ARCHIVE'],
    ['cut within a file', sound.subarray(0, 515), 'INVALID_ARCHIVE'],
    ['of other things', sound, 'NOT_AN_ARCHIVE'],
    ['bzip2', Buffer.from('BZh91AY'), 'NOT_AN_ARCHIVE'],
    ['broken gzip', Buffer.from('1f8b0800000000000000ffffffff', 'hex'), 'INVALID_ARCHIVE'],
    ['with a manifest.json that is no list', tarOf([['manifest.json', '{}']]), 'INVALID_ARCHIVE'],
    ['with a manifest.json without Config', tarOf([['manifest.json', '[{}]']]), 'INVALID_ARCHIVE'],
    ['with a missing config', tarOf([['manifest.json', '[{"Config":"x.json"}]']]), 'INVALID_ARCHIVE'],
    ['with numbers for tags', tarOf([['manifest.json', '[{"Config":"x","RepoTags":[1]}]']]), 'INVALID_ARCHIVE'],
  ])('%s is refused', async (_, bytes, code) => {
    await writeFile(path, bytes);
    await expect(openDockerArchive(path, { spoolFolder: folder })).rejects.toMatchObject({ code });
    expect(await readdir(folder)).toEqual(['image.tar']);
  });

  it('absent is not found', async () => {
    await expect(openDockerArchive(path)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('docker save', () => {
  const layerOne = Buffer.from('not really a tar, one');
  const layerTwo = Buffer.from('not really a tar, two');
  const configOf = (...layers: Buffer[]): string =>
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: layers.map((each) => digestOf(each)) },
    });
  const old = (config: string, layers: string[], tags: string[] | null = ['debian:12']): Member[] => [
    [`${hexOf(digestOf(config))}.json`, config],
    ['manifest.json', JSON.stringify([{ Config: `${hexOf(digestOf(config))}.json`, RepoTags: tags, Layers: layers }])],
  ];

  it('of old, with a folder per layer and links between them, is an image with plain layers', async () => {
    const config = configOf(layerOne, layerTwo, layerOne);
    await writeFile(
      path,
      tarOf([
        ['one/layer.tar', layerOne],
        ['./two/layer.tar', layerTwo],
        ['three/layer.tar', { link: '../one/layer.tar' }],
        ...old(config, ['one/layer.tar', 'two/layer.tar', 'three/layer.tar']),
      ]),
    );
    await using source = await openDockerArchive(path);
    expect((await source.list()).map(({ names }) => names)).toEqual([['docker.io/library/debian:12']]);
    const root = await source.resolve('debian:12');
    const manifest = parseManifest(await fetchBytes(source, root), mediaTypes.dockerManifest);
    expect(manifest.config.digest).toBe(digestOf(config));
    expect(manifest.layers).toEqual(
      [layerOne, layerTwo, layerOne].map((each) => ({
        mediaType: mediaTypes.dockerLayer,
        digest: digestOf(each),
        size: each.byteLength,
      })),
    );
    for (const layer of manifest.layers) expect(await source.exists(layer)).toBe(true);
    expect(Buffer.from(await fetchBytes(source, manifest.layers[1] ?? root))).toEqual(layerTwo);
    expect(await source.resolve('')).toEqual(root);
  });

  it('of podman, with hard links, is read too', async () => {
    const members: Member[] = [
      ['x.tar', layerOne],
      ['y/layer.tar', { link: 'x.tar', hard: true }],
      ...old(configOf(layerOne), ['y/layer.tar'], null),
    ];
    await writeFile(path, tarOf(members));
    await using source = await openDockerArchive(path);
    expect(await source.list()).toMatchObject([{ names: [] }]);
  });

  it.each<[string, Member[]]>([
    ['a changed layer', [['one', 'changed'], ...old(configOf(layerOne), ['one'])]],
    ['a missing layer', old(configOf(layerOne), ['one'])],
    ['a layer too many', [['one', layerOne], ...old(configOf(layerOne), ['one', 'one'])]],
    ['links in a circle', [['one', { link: 'one' }], ...old(configOf(layerOne), ['one'])]],
    ['a link out of the archive', [['one', { link: '../../etc/passwd' }], ...old(configOf(layerOne), ['one'])]],
  ])('with %s is refused', async (_, members) => {
    await writeFile(path, tarOf(members));
    await expect(openDockerArchive(path)).rejects.toMatchObject({ code: 'INVALID_ARCHIVE' });
  });

  it('of ours has docker’s list beside the layout', async () => {
    await using sink = await createDockerArchive(path);
    const image = await pushImage(sink, 'a');
    await sink.tag(image.descriptor, 'debian:12');
    await sink.tag(image.descriptor, 'docker.io/me/app:v1');
    const content = serializeIndex({ kind: 'index', mediaType: mediaTypes.ociIndex, manifests: [image.descriptor] });
    const index = { mediaType: mediaTypes.ociIndex, digest: digestOf(content), size: content.byteLength };
    await sink.push(index, content);
    await sink.tag(index, 'multi');
    await sink.commit();
    const text = (await readFile(path)).toString('latin1');
    const list: unknown = JSON.parse(/\[\{"Config":.*?\}\]/.exec(text)?.[0] ?? '[]');
    const blob = (digest: string): string => `blobs/sha256/${digest.slice(7)}`;
    const files = { Config: blob(image.config.digest), Layers: [blob(image.layer.digest)] };
    expect(list).toEqual([
      { ...files, RepoTags: ['debian:12', 'me/app:v1'] },
      { ...files, RepoTags: ['multi:latest'] },
    ]);
    await using source = await openDockerArchive(path);
    expect(await source.resolve('me/app:v1')).toEqual(image.descriptor);
    expect(await source.resolve('multi')).toEqual(index);
  });
});
