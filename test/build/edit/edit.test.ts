import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import {
  annotate,
  annotationChanges,
  appendLayers,
  Bases,
  changeLayers,
  checkBase,
  type EditDestination,
  editImage,
  flatten,
  imageOfLayers,
  layerFromTar,
  type PlaceOptions,
  rebase,
  recompress,
  removeLayers,
  type RootEdit,
  setConfig,
  toFormat,
} from '../../../src/build/index.ts';
import {
  type CopyEvent,
  describe as describeContent,
  digestOf,
  type ImageConfig,
  type ImageIndex,
  isLayerType,
  type Manifest,
  mediaTypes,
  parseImageConfig,
  parseManifestOrIndex,
  type Platform,
  type Target,
  fetchBytes,
} from '../../../src/oci/index.ts';
import { openRepository, openSession, Registries } from '../../../src/registry/index.ts';
import { openLayout } from '../../../src/transports/index.ts';
import { type EmbeddedRegistry, embeddedRegistry } from '../../registry/embedded.ts';
import { pushRealImage, pushRealIndex, tarOf } from './images.ts';

let registry: EmbeddedRegistry;
let folder: string;
const registries = new Registries();
const session = openSession();
const places: PlaceOptions = {
  open: async (name, access) => registries.open(name, access),
  openStore: () => Promise.reject(new Error('the store is opened')),
};
const at = (name: string): string => `${registry.host}/${name}`;
const target = (name: string): Target => openRepository(at(name), { session, credential: 'anonymous', access: 'push' });

beforeAll(async () => {
  registry = await embeddedRegistry({ onRequest: ({ method, url }) => served.push(`${method} ${url}`) });
  folder = await mkdtemp(join(tmpdir(), 'slipway-edit-test-'));
});
afterAll(async () => {
  await registries[Symbol.asyncDispose]();
  await session.close();
  await registry.close();
  await rm(folder, { recursive: true });
});

const served: string[] = [];
const warnings: string[] = [];
const events: CopyEvent[] = [];

async function edit(
  from: string,
  what: Parameters<typeof editImage>[1],
  to: EditDestination & { readonly platforms?: readonly Platform[] } = {},
) {
  warnings.length = 0;
  events.length = 0;
  return editImage(from, what, {
    ...places,
    ...to,
    onWarning: (message) => warnings.push(message),
    onEvent: (event) => events.push(event),
  });
}

/** Layers of which bytes went to the destination. */
const movedLayers = () =>
  events.filter(({ kind, descriptor }) => kind === 'started' && isLayerType(descriptor.mediaType)).length;

async function read(from: Target, reference: string): Promise<Manifest | ImageIndex> {
  const root = await from.resolve(reference);
  return parseManifestOrIndex(await fetchBytes(from, root), root.mediaType);
}
async function configOf(from: Target, reference: string): Promise<ImageConfig> {
  const manifest = (await read(from, reference)) as Manifest;
  return parseImageConfig(await fetchBytes(from, manifest.config));
}
const baseOf = (name: string) => ({ 'org.opencontainers.image.base.name': name });
const label = (labels: Record<string, string>): RootEdit => ({ image: setConfig({ labels }) });

describe('an image is edited', () => {
  it('config alone: no layer moves, neither within a repository nor within a registry', async () => {
    const before = await pushRealImage(target('app'), 'v1');
    const changed = {
      image: setConfig({
        labels: { a: 'b' },
        labelsRemoved: ['kept'],
        env: { A: '2', NEW: 'x=y' },
        entrypoint: ['/run', '-v'],
        user: '1000:1000',
        workdir: '/srv',
        exposedPorts: ['80', '53/udp'],
        volumes: ['/data'],
      }),
    };
    served.length = 0;
    const { descriptor, name } = await edit(at('app:v1'), changed);
    // the config is read, and the new one is sent
    expect(served.filter((request) => /^(?:GET|POST) .*\/blobs\//.test(request))).toHaveLength(2);
    expect(name).toBe(`${at('app')}@${descriptor.digest}`);
    expect([movedLayers(), descriptor.digest === before.digest]).toEqual([0, false]);
    expect(await configOf(target('app'), descriptor.digest)).toMatchObject({
      created: '2024-01-02T03:04:05Z',
      config: {
        Env: ['PATH=/bin', 'A=2', 'NEW=x=y'],
        Entrypoint: ['/run', '-v'],
        User: '1000:1000',
        WorkingDir: '/srv',
        ExposedPorts: ['53/udp', '80/tcp'],
        Volumes: ['/data'],
        Labels: { a: 'b' },
      },
    });
    expect((await configOf(target('app'), descriptor.digest)).config.Cmd).toBeUndefined();
    expect((await target('app').resolve('v1')).digest).toBe(before.digest);

    const elsewhere = await edit(at('app:v1'), changed, { tag: at('other:v2') });
    expect(elsewhere.descriptor).toEqual(descriptor);
    expect(events.filter(({ kind }) => kind === 'mounted')).toHaveLength(2);
    expect(movedLayers()).toBe(0);
    await edit(at('app:v1'), changed, { replace: true });
    expect((await target('app').resolve('v1')).digest).toBe(descriptor.digest);
  });

  it('what changes nothing keeps every byte', async () => {
    const before = await pushRealImage(target('same'), 'v1');
    for (const what of [
      label({ kept: 'yes' }),
      label({}),
      { image: recompress('gzip') },
      annotate({ set: [], remove: [] }),
    ])
      expect((await edit(at('same:v1'), what)).descriptor).toEqual(before);
    const index = await pushRealIndex(target('same'), 'index', { amd64: {}, arm64: {} });
    expect((await edit(at('same:index'), label({ kept: 'yes' }))).descriptor).toEqual(index);
  });

  it('of an index each image, or those of a platform; attestations of another image go, with a warning', async () => {
    const to = target('multi');
    const arm = await pushRealImage(to, undefined, { config: { platform: { os: 'linux', architecture: 'arm64' } } });
    const attestation = {
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': arm.digest },
    };
    const statement = await pushRealImage(to, undefined, { tars: [tarOf([{ name: 'statement' }])] });
    const amd = await pushRealImage(to);
    const platform = (architecture: string) => ({ os: 'linux', architecture });
    const manifests = [
      { ...amd, platform: platform('amd64') },
      { ...arm, platform: platform('arm64') },
      { ...statement, ...attestation },
    ];
    await pushRealIndex(to, 'v1', {}, { manifests });
    const both = await edit(at('multi:v1'), label({ a: 'b' }), { tag: at('multi:v2') });
    const index = (await read(to, both.descriptor.digest)) as ImageIndex;
    expect(index.manifests.map((each) => each.platform?.architecture)).toEqual(['amd64', 'arm64']);
    expect(warnings).toEqual([expect.stringContaining(arm.digest)]);
    for (const { digest } of index.manifests)
      expect((await configOf(to, digest)).config.Labels).toEqual({ kept: 'yes', a: 'b' });

    const one = await edit(at('multi:v1'), label({ a: 'b' }), { platforms: [platform('amd64')] });
    const partly = (await read(to, one.descriptor.digest)) as ImageIndex;
    expect(partly.manifests).toEqual([{ ...index.manifests[0] }, manifests[1], manifests[2]]);
    expect(warnings).toEqual([]);
  });

  it('what is no image is passed on in an index, and refused alone', async () => {
    const to = target('mixed');
    const config = describeContent(mediaTypes.ociEmpty, Buffer.from('{}'));
    await to.push(config, Buffer.from('{}'));
    const artifact = await pushRealImage(to, 'artifact', { manifest: { config, artifactType: 'a/b' } });
    const image = await pushRealImage(to, undefined, { manifest: { annotations: baseOf(at('mixed:artifact')) } });
    const platform = { os: 'linux', architecture: 'amd64' };
    await pushRealIndex(to, 'v1', {}, { manifests: [{ ...image, platform }, artifact] });
    const { descriptor } = await edit(at('mixed:v1'), label({ a: 'b' }));
    const index = (await read(to, descriptor.digest)) as ImageIndex;
    expect(index.manifests.map(({ digest }) => digest === artifact.digest)).toEqual([false, true]);
    await expect(edit(at('mixed:artifact'), label({ a: 'b' }))).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    const base = await pushRealImage(to, 'base');
    expect(await checkBase(at('mixed:v1'), { ...places, base: at('mixed:base') })).toEqual([
      expect.objectContaining({ platform: 'linux/amd64', now: base.digest, current: true }),
    ]);
  });

  it('between layouts and archives, and not back into an archive', async () => {
    await pushRealImage(target('files'), 'v1');
    const layout = `oci:${folder}/layout:v1`;
    const made = await edit(at('files:v1'), label({ a: 'b' }), { tag: layout });
    const again = await edit(layout, label({ c: 'd' }));
    const open = await openLayout(`${folder}/layout`);
    expect((await configOf(open, again.descriptor.digest)).config.Labels).toEqual({ kept: 'yes', a: 'b', c: 'd' });
    expect((await open.resolve('v1')).digest).toBe(made.descriptor.digest);
    const archive = await edit(layout, label({ e: 'f' }), { output: `${folder}/image.tar` });
    expect((await edit(`docker-archive:${folder}/image.tar`, label({}), { tag: at('files:v2') })).descriptor).toEqual(
      archive.descriptor,
    );
    await expect(edit(`docker-archive:${folder}/image.tar`, label({ a: 'c' }))).rejects.toMatchObject({
      exitCode: 125,
    });
    await expect(edit(layout, label({}), { tag: at('x'), repository: at('y') })).rejects.toMatchObject({
      exitCode: 125,
    });
  });

  it("docker's form and OCI's, and back to the same bytes", async () => {
    const before = await pushRealImage(target('form'), 'v1', { docker: true });
    const { image, index } = toFormat('oci');
    const oci = await edit(at('form:v1'), { image, index }, { tag: at('form:oci') });
    expect(movedLayers()).toBe(0);
    expect(await read(target('form'), 'oci')).toMatchObject({
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig },
      layers: [{ mediaType: mediaTypes.ociLayerGzip }, { mediaType: mediaTypes.ociLayerGzip }],
    });
    expect(oci.descriptor.mediaType).toBe(mediaTypes.ociManifest);
    expect((await edit(at('form:oci'), toFormat('docker'))).descriptor).toEqual(before);
    await expect(edit(at('form:v1'), annotate(annotationChanges(['a=b'], [], 'manifest')))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
  });
});

describe('annotations', () => {
  it('go where they are said to go, and are removed', async () => {
    const to = target('notes');
    await pushRealIndex(to, 'v1', { amd64: {}, arm64: {} });
    const set = ['top=1', 'manifest:all=2', 'manifest[linux/arm64]:arm=3', 'manifest-descriptor[linux/amd64]:entry=4'];
    const { descriptor } = await edit(at('notes:v1'), annotate(annotationChanges(set, [], 'index')), {
      tag: at('notes:v2'),
    });
    expect(movedLayers()).toBe(0);
    const index = (await read(to, descriptor.digest)) as ImageIndex;
    expect([index.annotations, ...index.manifests.map((each) => each.annotations)]).toEqual([
      { top: '1' },
      { entry: '4' },
      undefined,
    ]);
    const manifests = await Promise.all(index.manifests.map(({ digest }) => read(to, digest)));
    expect(manifests.map((each) => each.annotations)).toEqual([{ all: '2' }, { all: '2', arm: '3' }]);
    const remove = ['top', 'manifest:all,', 'manifest[linux/arm64]:arm', 'manifest-descriptor:entry'];
    const bare = annotate(
      annotationChanges([], [...remove.filter((each) => !each.endsWith(',')), 'manifest:all'], 'index'),
    );
    const original = await to.resolve('v1');
    expect((await edit(at('notes:v2'), bare)).descriptor).toEqual(original);
  });
});

describe('layers', () => {
  const extra = tarOf([{ name: 'extra', content: 'x' }]);

  it('are put on top: only they move, and what is compressed keeps its bytes', async () => {
    await pushRealImage(target('grow'), 'v1');
    const packed = gzipSync(extra, { level: 1 });
    for (const [source, digest] of [
      [packed, digestOf(packed)],
      [extra, undefined],
    ] as const) {
      const { descriptor } = await edit(
        at('grow:v1'),
        async (bench) => ({
          image: appendLayers([await layerFromTar(bench, Readable.from([source]))], { epoch: 1_700_000_000 }),
        }),
        { tag: at('grow:v2') },
      );
      expect(movedLayers()).toBe(1);
      const manifest = (await read(target('grow'), descriptor.digest)) as Manifest;
      const config = await configOf(target('grow'), descriptor.digest);
      expect(config.diffIds[2]).toBe(digestOf(extra));
      if (digest !== undefined) expect(manifest.layers[2]?.digest).toBe(digest);
      expect(config.history).toHaveLength(3);
      expect(config.created).toBe('2023-11-14T22:13:20Z');
    }
    await expect(
      edit(at('grow:v1'), async (bench) => ({
        image: appendLayers([await layerFromTar(bench, Readable.from([Buffer.from('no tar, and long enough')]))]),
      })),
    ).rejects.toMatchObject({ name: 'LayerError' });
  });

  it('on an image for Windows, with a warning', async () => {
    await pushRealImage(target('windows'), 'v1', { config: { platform: { os: 'windows', architecture: 'amd64' } } });
    await edit(at('windows:v1'), async (bench) => ({
      image: appendLayers([await layerFromTar(bench, Readable.from([extra]))]),
    }));
    expect(warnings).toEqual([expect.stringContaining('Files/')]);
  });

  it('alone make an image, always the same', async () => {
    const make = (tag: string) =>
      imageOfLayers(async (bench) => [await layerFromTar(bench, Readable.from([extra]), { compression: 'zstd' })], {
        ...places,
        tag,
        platform: { os: 'linux', architecture: 'riscv64' },
        onWarning: () => undefined,
      });
    const { descriptor } = await make(at('new:v1'));
    expect((await make(`oci:${folder}/new:v1`)).descriptor).toEqual(descriptor);
    expect(await read(target('new'), 'v1')).toMatchObject({ layers: [{ mediaType: mediaTypes.ociLayerZstd }] });
    expect(await configOf(target('new'), 'v1')).toMatchObject({
      platform: { os: 'linux', architecture: 'riscv64' },
      diffIds: [digestOf(extra)],
    });
  });

  it('are taken out, by number and by what made them', async () => {
    await pushRealImage(target('less'), 'v1', {
      config: { history: [{ createdBy: 'step 0' }, { createdBy: 'ENV', emptyLayer: true }, { createdBy: 'step 1' }] },
    });
    for (const choice of [{ indexes: [-1] }, { createdBy: [/step 1/] }]) {
      const { descriptor } = await edit(at('less:v1'), { image: removeLayers(choice) });
      const config = await configOf(target('less'), descriptor.digest);
      expect([config.diffIds.length, config.history.map((item) => item.createdBy)]).toEqual([1, ['step 0', 'ENV']]);
    }
    for (const choice of [{ indexes: [2] }, { createdBy: [/none/] }])
      await expect(edit(at('less:v1'), { image: removeLayers(choice) })).rejects.toMatchObject({
        code: 'OUTPUT_INVALID',
      });
  });

  it('are compressed anew with the same content, and rewritten', async () => {
    await pushRealImage(target('pack'), 'v1');
    const before = await configOf(target('pack'), 'v1');
    const { descriptor } = await edit(at('pack:v1'), { image: recompress('zstd') }, { tag: at('pack:v2') });
    const manifest = (await read(target('pack'), descriptor.digest)) as Manifest;
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([
      mediaTypes.ociLayerZstd,
      mediaTypes.ociLayerZstd,
    ]);
    expect(await configOf(target('pack'), 'v2')).toEqual(before);
    const stripped = await edit(at('pack:v1'), { image: changeLayers({ strip: ['one'], baseLayers: 0 }) });
    const { diffIds } = await configOf(target('pack'), stripped.descriptor.digest);
    expect(diffIds).toEqual([digestOf(tarOf([])), before.diffIds[1]]);
  });

  it('become one', async () => {
    const tars = [
      tarOf([
        { name: 'a', content: '1' },
        { name: 'b', content: '2' },
      ]),
      tarOf([{ name: '.wh.a' }]),
    ];
    await pushRealImage(target('flat'), 'v1', { tars });
    const { descriptor } = await edit(at('flat:v1'), { image: flatten() });
    const config = await configOf(target('flat'), descriptor.digest);
    expect(config.diffIds).toEqual([digestOf(tarOf([{ name: 'b', content: '2' }]))]);
    expect(config).toMatchObject({ config: { Cmd: ['sh'] }, history: [{ comment: '2 layers as one' }] });
    expect((await edit(at('flat:v1'), { image: flatten() })).descriptor).toEqual(descriptor);
  });
});

describe('bases', () => {
  const tar = (name: string) => tarOf([{ name, content: name }]);
  const history = (...steps: string[]) => steps.map((createdBy) => ({ createdBy }));
  const arm = { os: 'linux', architecture: 'arm64' };

  async function bases(repository: string): Promise<void> {
    const base = (name: string) => ({
      amd64: { tars: [tar(`${name}-amd`)], config: { history: history(name) } },
      arm64: { tars: [tar(`${name}-arm`)], config: { history: history(name) } },
    });
    await pushRealIndex(target(`${repository}-base`), 'old', base('old'));
    await pushRealIndex(target(`${repository}-base`), 'new', base('new'));
    await pushRealIndex(target(repository), 'v1', {
      amd64: { tars: [tar('old-amd'), tar('app')], config: { history: history('old', 'app') } },
      arm64: { tars: [tar('old-arm'), tar('app')], config: { history: history('old', 'app') } },
    });
  }
  async function rebased(from: string, to: string | undefined, options: Parameters<typeof rebase>[0] = {}) {
    await using open = new Bases(places);
    return await edit(from, { image: rebase(options, open) }, { tag: to });
  }

  it('an index is put on the other base, each image on its platform; then the annotations say it all', async () => {
    await bases('moved');
    const { descriptor } = await rebased(at('moved:v1'), at('moved:v2'), {
      oldBase: at('moved-base:old'),
      newBase: at('moved-base:new'),
    });
    expect(movedLayers()).toBe(0);
    const index = (await read(target('moved'), descriptor.digest)) as ImageIndex;
    for (const [entry, name] of [
      [index.manifests[0], 'amd'],
      [index.manifests[1], 'arm'],
    ] as const) {
      const config = await configOf(target('moved'), entry?.digest ?? '');
      expect(config.diffIds).toEqual([digestOf(tar(`new-${name}`)), digestOf(tar('app'))]);
      expect(config.history).toEqual(history('new', 'app'));
    }
    const check = (base?: string) => checkBase(at('moved:v2'), { ...places, base });
    expect(await check()).toEqual([
      expect.objectContaining({ platform: 'linux/amd64', base: at('moved-base:new'), current: true }),
      expect.objectContaining({ platform: 'linux/arm64', current: true }),
    ]);
    expect((await check(at('moved-base:old'))).map(({ current }) => current)).toEqual([false, false]);

    await pushRealIndex(target('moved-base'), 'new', {
      amd64: { tars: [tar('newer-amd')] },
      arm64: { tars: [tar('new-arm')], config: { history: history('new') } },
    });
    const stale = await check();
    expect(stale.map(({ current }) => current)).toEqual([false, true]);
    expect(stale[0]?.before).not.toBe(stale[0]?.now);
    const again = await rebased(at('moved:v2'), at('moved:v3'));
    const [first] = ((await read(target('moved'), again.descriptor.digest)) as ImageIndex).manifests;
    expect((await configOf(target('moved'), first?.digest ?? '')).diffIds[0]).toBe(digestOf(tar('newer-amd')));
    expect((await checkBase(at('moved:v3'), places)).every(({ current }) => current)).toBe(true);
  });

  it('an image that is not on the old base is refused, and one that says nothing', async () => {
    await bases('stuck');
    const newBase = at('stuck-base:new');
    await expect(rebased(at('stuck:v1'), undefined, { oldBase: newBase, newBase })).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: expect.stringContaining('is not on'),
    });
    await expect(rebased(at('stuck:v1'), undefined)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    await expect(checkBase(at('stuck:v1'), { ...places, platforms: [arm] })).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
    });
  });
});
