import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { copyImage, type PlaceOptions, validate } from '../../../src/build/index.ts';
import {
  describe as describeContent,
  type Descriptor,
  digestOf,
  hexOf,
  type Manifest,
  mediaTypes,
  serializeManifest,
  type Target,
} from '../../../src/oci/index.ts';
import { openRepository, openSession, Registries } from '../../../src/registry/index.ts';
import { openLayout } from '../../../src/transports/index.ts';
import { type EmbeddedRegistry, embeddedRegistry } from '../../registry/embedded.ts';
import { pushDocument, pushRealImage, pushRealIndex, tarOf } from '../edit/images.ts';

let registry: EmbeddedRegistry;
let folder: string;
let layouts = 0;
const registries = new Registries();
const session = openSession();
const places: PlaceOptions = {
  open: async (name, access) => registries.open(name, access),
  openStore: () => Promise.reject(new Error('the store is opened')),
};
const at = (name: string): string => `${registry.host}/${name}`;
const target = (name: string) => openRepository(at(name), { session, credential: 'anonymous', access: 'push' });
const check = (text: string, fast = false) => validate(text, { ...places, fast });
/** Findings, each in short. */
const found = async (text: string, fast = false): Promise<string[]> =>
  (await check(text, fast)).findings.map(({ severity, code, subject }) => `${severity} ${code} ${subject}`);

beforeAll(async () => {
  registry = await embeddedRegistry();
  folder = await mkdtemp(join(tmpdir(), 'slipway-validate-'));
});
afterAll(async () => {
  await registries[Symbol.asyncDispose]();
  await session.close();
  await registry.close();
  await rm(folder, { recursive: true });
});

async function layout(fill: (to: Target) => Promise<unknown>): Promise<string> {
  const path = join(folder, `layout-${++layouts}`);
  await fill(await openLayout(path, { create: true }));
  return path;
}
const blobIn = (path: string, { digest }: Pick<Descriptor, 'digest'>): string =>
  join(path, 'blobs/sha256', hexOf(digest));
const tar = tarOf([{ name: 'file', content: 'content' }]);
const layer = { digest: digestOf(gzipSync(tar)) };

describe('what is sound', () => {
  it('is, in registries, layouts and archives, and each layer is read once', async () => {
    await pushRealIndex(target('good'), 'v1', { amd64: { tars: [tar] }, arm64: { tars: [tar] } });
    for (const place of [`oci:${folder}/good`, `oci-archive:${folder}/good.tar:a`])
      await copyImage(at('good:v1'), place, { ...places, referrers: false } as Parameters<typeof copyImage>[2]);
    for (const place of [at('good:v1'), `oci:${folder}/good`, `oci-archive:${folder}/good.tar`]) {
      const report = await check(place);
      expect(report).toMatchObject({ valid: true, findings: [], documents: 3, blobs: 3 });
      expect((await check(place, true)).valid).toBe(true);
    }
  });

  it('an artifact is no image, and is checked as what it is', async () => {
    const content = Buffer.from('no tar');
    const empty = describeContent(mediaTypes.ociEmpty, Buffer.from('{}'));
    const path = await layout(async (to) => {
      await to.push(empty, Buffer.from('{}'));
      const blob = describeContent('text/plain', content);
      await to.push(blob, content);
      const manifest: Manifest = {
        kind: 'manifest',
        mediaType: mediaTypes.ociManifest,
        artifactType: 'text/plain',
        config: empty,
        layers: [blob],
      };
      await pushDocument(to, mediaTypes.ociManifest, serializeManifest(manifest), 'v1');
    });
    expect(await found(`oci:${path}`)).toEqual([]);
    await writeFile(blobIn(path, { digest: digestOf(content) }), 'no txt');
    expect(await found(`oci:${path}`)).toEqual([`error corrupt ${digestOf(content)}`]);
  });
});

describe('what is wrong is found', () => {
  const image = (made: Parameters<typeof pushRealImage>[2] = {}) =>
    layout((to) => pushRealImage(to, 'v1', { tars: [tar], ...made }));

  it.each<readonly [string, (bytes: Buffer) => Buffer]>([
    ['other bytes of the same content', () => gzipSync(tar, { level: 1 })],
    [
      'a changed byte of the header',
      (bytes) => Buffer.from(bytes.map((byte, index) => (index === 4 ? byte ^ 1 : byte))),
    ],
    [
      'a changed byte of the compression',
      (bytes) => Buffer.from(bytes.map((byte, index) => (index === 20 ? byte ^ 1 : byte))),
    ],
    ['a missing end', (bytes) => bytes.subarray(0, -5)],
    ['bytes behind the end', (bytes) => Buffer.concat([bytes, Buffer.from('more')])],
  ])('a layer with %s', async (_, damage) => {
    const path = await image();
    await writeFile(blobIn(path, layer), damage(await readFile(blobIn(path, layer))));
    expect(await found(`oci:${path}:v1`)).toEqual([`error corrupt ${layer.digest}`]);
  });

  it('a layer that is not there, also without reading any', async () => {
    const path = await image();
    await unlink(blobIn(path, layer));
    for (const fast of [true, false])
      expect(await found(`oci:${path}`, fast)).toEqual([`error missing ${layer.digest}`]);
  });

  it('a layer that is another than the config says, and a wrong number of them', async () => {
    const other = digestOf('other');
    const path = await image({ config: { diffIds: [other] } });
    expect(await found(`oci:${path}`)).toEqual([`error inconsistent ${layer.digest}`]);
    const more = await image({ config: { diffIds: [digestOf(tar), other], history: [] } });
    expect(await found(`oci:${more}`)).toEqual([expect.stringContaining('error inconsistent')]);
    const history = await image({ config: { history: [{ createdBy: 'a' }, { createdBy: 'b' }] } });
    expect(await found(`oci:${history}`)).toEqual([expect.stringContaining('warning inconsistent')]);
    expect((await check(`oci:${history}`)).valid).toBe(true);
  });

  it('a compression that is not the one stated, and a layer that is no tar', async () => {
    const packed = zstdCompressSync(tar);
    const junk = gzipSync(Buffer.alloc(2048, 'x'));
    for (const [blob, code] of [
      [packed, 'inconsistent'],
      [junk, 'malformed'],
    ] as const) {
      const descriptor = describeContent(mediaTypes.ociLayerGzip, blob);
      const path = await layout(async (to) => {
        await to.push(descriptor, blob);
        const config = Buffer.from(
          JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digestOf(tar)] } }),
        );
        await to.push(describeContent(mediaTypes.ociConfig, config), config);
        const manifest: Manifest = {
          kind: 'manifest',
          mediaType: mediaTypes.ociManifest,
          config: describeContent(mediaTypes.ociConfig, config),
          layers: [descriptor],
        };
        await pushDocument(to, mediaTypes.ociManifest, serializeManifest(manifest), 'v1');
      });
      expect(await found(`oci:${path}:v1`)).toEqual([`error ${code} ${descriptor.digest}`]);
    }
  });

  it('an entry of an index that is not there, or is for another platform', async () => {
    const gone = await layout(async (to) => {
      await pushRealIndex(to, 'v1', { amd64: {}, arm64: {} });
    });
    const entries = JSON.parse(await readFile(join(gone, 'index.json'), 'utf8')) as { manifests: Descriptor[] };
    const [root] = entries.manifests;
    const index = JSON.parse(await readFile(blobIn(gone, root as Descriptor), 'utf8')) as { manifests: Descriptor[] };
    const [first] = index.manifests;
    await unlink(blobIn(gone, first as Descriptor));
    expect(await found(`oci:${gone}:v1`)).toEqual([`error missing ${first?.digest}`]);
    const wrong = await layout(async (to) => {
      const descriptor = await pushRealImage(to);
      const manifests = [{ ...descriptor, platform: { os: 'linux', architecture: 's390x' } }];
      await pushRealIndex(to, 'v1', {}, { manifests });
    });
    expect(await found(`oci:${wrong}`)).toEqual([expect.stringContaining('warning inconsistent')]);
  });

  it('blobs of a layout that nothing leads to, and only where all of it is meant', async () => {
    const stray = Buffer.from('stray');
    const path = await layout(async (to) => {
      await pushRealImage(to, 'v1');
      await to.push(describeContent('text/plain', stray), stray);
    });
    await writeFile(join(path, 'blobs/sha256/notes'), '');
    expect((await found(`oci:${path}`)).toSorted()).toEqual([
      `warning unused ${digestOf(stray)}`,
      'warning unusual blobs/sha256/notes',
    ]);
    expect(await found(`oci:${path}:v1`)).toEqual([]);
  });

  it('nobody to ask is no finding', async () => {
    await expect(check('127.0.0.1:1/none')).rejects.toMatchObject({ name: 'RegistryError' });
    await expect(check(at('none:v1'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
