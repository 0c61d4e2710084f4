import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  copyAllTags,
  copyImage,
  type CopyImageOptions,
  type ImageConversion,
  listTags,
  openPlace,
  type PlaceOptions,
} from '../../../src/build/index.ts';
import {
  describe as describeContent,
  type Descriptor,
  digestOf,
  fetchBytes,
  type ImageIndex,
  type Manifest,
  mediaTypes,
  parseIndex,
  parseManifest,
  serializeIndex,
} from '../../../src/oci/index.ts';
import { openRepository, Registries } from '../../../src/registry/index.ts';
import { type EmbeddedRegistry, embeddedRegistry } from '../../registry/embedded.ts';
import { pushDocument, pushImage, pushIndex } from '../../registry/made-images.ts';

describe('copies in another form', () => {
  let registry: EmbeddedRegistry;
  const registries = new Registries();
  const places: PlaceOptions = {
    open: async (name, access) => registries.open(name, access),
    openStore: () => Promise.reject(new Error('the store is opened')),
  };
  const at = (name: string): string => `${registry.host}/${name}`;
  const target = (name: string) => openRepository(at(name), { ...registries.connectionOptions(), access: 'push' });
  const notes: string[] = [];
  const copy = async (from: string, to: string, options: Partial<CopyImageOptions> = {}) => {
    notes.length = 0;
    const onNote = (note: string) => void notes.push(note);
    return (await copyImage(at(from), at(to), { ...places, referrers: false, onNote, ...options })).descriptor;
  };
  const convert = (from: string, to: string, conversion: ImageConversion) => copy(from, to, { conversion });
  const manifestAt = async (name: string, root: Descriptor): Promise<Manifest> =>
    parseManifest(await fetchBytes(target(name), root), root.mediaType);
  const indexAt = async (name: string, root: Descriptor): Promise<ImageIndex> =>
    parseIndex(await fetchBytes(target(name), root), root.mediaType);

  let folder: string;

  beforeAll(async () => {
    registry = await embeddedRegistry();
    folder = await mkdtemp(join(tmpdir(), 'slipway-convert-test-'));
  });
  afterAll(async () => {
    await registries[Symbol.asyncDispose]();
    await registry.close();
    await rm(folder, { recursive: true });
  });

  it.each([
    ['an image', pushImage],
    ['an index', pushIndex],
  ] as const)("%s has docker's types and comes back with its digest", async (name, push) => {
    const repository = name.replace('an ', 'round-');
    const root = await push(target(repository), 'oci');
    const docker = await convert(`${repository}:oci`, `${repository}:docker`, { format: 'docker' });
    expect(docker.mediaType).toMatch(/docker.distribution.manifest/);
    expect(docker.digest).not.toBe(root.digest);
    const text = (await fetchBytes(target(repository), docker)).toString();
    expect(text).not.toContain('vnd.oci');
    expect((await convert(`${repository}:docker`, `${repository}:back`, { format: 'oci' })).digest).toBe(root.digest);
    // What is so already keeps its bytes.
    expect((await convert(`${repository}:docker`, `${repository}:same`, { format: 'docker' })).digest).toBe(
      docker.digest,
    );
  });

  it('layers are compressed anew, and unpack to what the config says', async () => {
    await pushImage(target('layers'), 'none', { layers: ['one '.repeat(5000), 'two '.repeat(5000)] });
    const inflate = { gzip: gunzipSync, zstd: zstdDecompressSync, none: (bytes: Uint8Array) => bytes };
    for (const [from, compression] of [
      ['none', 'gzip'],
      ['gzip', 'zstd'],
      ['zstd', 'none'],
    ] as const) {
      const root = await convert(`layers:${from}`, `layers:${compression}`, { compression });
      const { layers, config } = await manifestAt('layers', root);
      const { rootfs } = JSON.parse((await fetchBytes(target('layers'), config)).toString()) as {
        rootfs: { diff_ids: string[] };
      };
      const unpacked = layers.map(async (layer) =>
        digestOf(inflate[compression](await fetchBytes(target('layers'), layer))),
      );
      expect(await Promise.all(unpacked)).toEqual(rootfs.diff_ids);
      expect(layers[0]?.mediaType).toBe(
        `application/vnd.oci.image.layer.v1.tar${compression === 'none' ? '' : `+${compression}`}`,
      );
      expect(notes).toHaveLength(2);
    }
  });

  it("zstd becomes gzip where docker's format is asked for, and OCI where zstd is", async () => {
    await pushImage(target('zstd'), 'docker', { docker: true });
    const zstd = await convert('zstd:docker', 'zstd:oci', { compression: 'zstd' });
    expect(zstd.mediaType).toBe(mediaTypes.ociManifest);
    expect((await manifestAt('zstd', zstd)).layers[0]?.mediaType).toBe(mediaTypes.ociLayerZstd);
    const docker = await convert('zstd:oci', 'zstd:again', { format: 'docker' });
    expect((await manifestAt('zstd', docker)).layers[0]?.mediaType).toBe(mediaTypes.dockerLayerGzip);
    await expect(convert('zstd:oci', 'zstd:x', { format: 'docker', compression: 'zstd' })).rejects.toThrow(
      'no layers compressed with zstd',
    );
  });

  it('a layer that is not what its config says is refused', async () => {
    const image = await pushImage(target('lying'), undefined);
    const manifest = await manifestAt('lying', image);
    const swapped = { ...manifest, layers: manifest.layers.toReversed() };
    await pushImage(target('lying'), 'v1', { manifest: { layers: swapped.layers } });
    await expect(convert('lying:v1', 'lying:gzip', { compression: 'gzip' })).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: expect.stringMatching(/unpacks to sha256:\w+, its config says sha256:/),
    });
    const short = { layers: manifest.layers.slice(1) };
    await pushImage(target('lying'), 'v2', { manifest: short });
    await expect(convert('lying:v2', 'lying:gzip', { compression: 'gzip' })).rejects.toThrow(
      'a manifest has 1 layers, and its config 2',
    );
    await expect(target('lying').resolve('gzip')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('annotations are kept where they can be, and told where not', async () => {
    const image = await pushImage(target('notes'), undefined);
    const manifest = await manifestAt('notes', image);
    const toc = { 'containerd.io/snapshot/stargz/toc.digest': 'x', kept: 'y' };
    const layers = manifest.layers.map((layer) => ({ ...layer, annotations: toc }));
    await pushImage(target('notes'), 'v1', { manifest: { layers, annotations: { a: 'b' } } });
    const gzip = await manifestAt('notes', await convert('notes:v1', 'notes:gzip', { compression: 'gzip' }));
    expect([gzip.annotations, gzip.layers[0]?.annotations]).toEqual([{ a: 'b' }, { kept: 'y' }]);
    await convert('notes:v1', 'notes:docker', { format: 'docker' });
    expect(notes).toEqual(["docker's format has no place for annotations: left out"]);
  });

  it('attestations follow their image, and are no part of a docker list', async () => {
    const repository = target('attested');
    const image = await pushImage(repository);
    const attestation = await pushImage(repository, undefined, { layers: ['statement'] });
    const manifests: Descriptor[] = [
      { ...image, platform: { os: 'linux', architecture: 'amd64' } },
      {
        ...attestation,
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': image.digest,
        },
      },
    ];
    const content = serializeIndex({ kind: 'index', mediaType: mediaTypes.ociIndex, manifests });
    await pushDocument(repository, mediaTypes.ociIndex, content, 'v1');
    const gzip = await indexAt('attested', await convert('attested:v1', 'attested:gzip', { compression: 'gzip' }));
    const [first, second] = gzip.manifests;
    expect(first?.digest).not.toBe(image.digest);
    expect(second?.annotations?.['vnd.docker.reference.digest']).toBe(first?.digest);
    const docker = await indexAt('attested', await convert('attested:v1', 'attested:docker', { format: 'docker' }));
    expect(docker.manifests).toHaveLength(1);
    expect(notes).toContain("docker's format has no place for attestations: left out");
  });

  it("artifacts keep their bytes, and have no docker's form", async () => {
    const empty = describeContent(mediaTypes.ociEmpty, Buffer.from('{}'));
    await target('artifacts').push(empty, Buffer.from('{}'));
    const manifest = { artifactType: 'test/any', config: { ...empty, data: Buffer.from('{}') } };
    const { digest } = await pushImage(target('artifacts'), 'v1', { manifest });
    expect((await convert('artifacts:v1', 'artifacts:gzip', { compression: 'gzip' })).digest).toBe(digest);
    await expect(convert('artifacts:v1', 'artifacts:docker', { format: 'docker' })).rejects.toMatchObject({
      code: 'UNSUPPORTED_MEDIA_TYPE',
      message: "an artifact (test/any) has no form in docker's format",
    });
  });

  it('what would change a digest fails where digests are to be preserved', async () => {
    const index = await pushIndex(target('preserved'), 'v1');
    const preserveDigests = true;
    expect((await copy('preserved:v1', 'preserved:v2', { preserveDigests })).digest).toBe(index.digest);
    const [one] = (await indexAt('preserved', index)).manifests;
    const platforms = [{ os: 'linux', architecture: 'amd64' }];
    expect((await copy('preserved:v1', 'preserved:one', { preserveDigests, platforms })).digest).toBe(one?.digest);
    const conversion: ImageConversion = { format: 'docker' };
    const refused = { code: 'OUTPUT_INVALID' };
    await expect(copy('preserved:v1', 'preserved:x', { preserveDigests, conversion })).rejects.toMatchObject(refused);
    await expect(copy('preserved:v1', 'preserved:x', { referrers: true, conversion })).rejects.toMatchObject(refused);
  });

  it('names that are there stay, and further ones are given', async () => {
    const first = await pushImage(target('names'), 'first');
    const second = await pushImage(target('names'), 'second', { layers: ['2'] });
    const options = { ...places, referrers: false, noClobber: true, tags: ['a', 'b'] };
    await target('names').tag(first, 'a');
    const copied = await copyImage(at('names:second'), at('names:first'), options);
    expect(copied).toMatchObject({ names: ['b'], kept: ['first', 'a'] });
    expect((await target('names').resolve('first')).digest).toBe(first.digest);
    expect((await target('names').resolve('b')).digest).toBe(second.digest);
  });

  it('all tags of a repository go to another one, each image once', async () => {
    const image = await pushImage(target('many'), 'v1');
    await target('many').tag(image, 'v2');
    await pushIndex(target('many'), 'v3');
    const events: string[] = [];
    const copied = await copyAllTags(at('many'), at('more'), {
      ...places,
      referrers: false,
      onEvent: ({ kind, descriptor }) => void (/^(?:done|mounted)$/.test(kind) && events.push(descriptor.digest)),
    });
    expect(copied.map(({ tag, names }) => [tag, names])).toEqual(['v1', 'v2', 'v3'].map((tag) => [tag, [tag]]));
    expect(new Set(events).size).toBe(events.length);
    expect(await target('more').listTags()).toEqual(['v1', 'v2', 'v3']);
    await using place = await openPlace(at('more:v2'), places);
    expect((await place.resolve()).digest).toBe(image.digest);
  });

  it('all tags go into files too, by whole names where docker wants them; one name is not all', async () => {
    const image = await pushImage(target('filed'), 'v1');
    await target('filed').tag(image, 'v2');
    const options = { ...places, referrers: false };
    const list = async (text: string) => {
      await using place = await openPlace(text, places);
      return await listTags(place);
    };
    await copyAllTags(at('filed'), `oci:${folder}/filed`, options);
    expect(await list(`oci:${folder}/filed`)).toEqual(['v1', 'v2']);
    const archive = `docker-archive:${folder}/filed.tar:team/filed`;
    await copyAllTags(at('filed'), archive, options);
    expect(await list(archive)).toEqual(['v1', 'v2'].map((tag) => `docker.io/team/filed:${tag}`));
    for (const [from, to] of [
      [at('filed:v1'), at('x')],
      [at('filed'), at('x:v1')],
      [`oci:${folder}/filed:v1`, at('x')],
    ] as const)
      await expect(copyAllTags(from, to, options)).rejects.toMatchObject({ code: 'OUTPUT_INVALID' });
    const kept = copyImage(at('filed:v1'), archive, { ...options, noClobber: true });
    await expect(kept).rejects.toThrow('is there already');
  });

  describe('with layers that may not be distributed', () => {
    let server: Server;
    const seen: (string | undefined)[] = [];
    const content = Buffer.from('foreign');
    const layer = (path: string, mediaType: string = mediaTypes.ociForeignLayerGzip): Descriptor => ({
      ...describeContent(mediaType, content),
      urls: [`http://user:secret@127.0.0.1:${(server.address() as AddressInfo).port}${path}`],
    });

    beforeAll(async () => {
      server = createServer((request, response) => {
        seen.push(request.headers.authorization);
        if (request.url === '/none') response.writeHead(404).end();
        else
          response.end(request.url === '/wrong' ? 'foreigm' : request.url === '/long' ? 'foreign and more' : content);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    });
    afterAll(() => void server.close());

    const push = (tag: string, path: string) =>
      pushImage(target('foreign'), tag, { manifest: { layers: [layer(path)] } });

    it('they are left where they are, unless they are asked for', async () => {
      const { digest } = await push('v1', '/right');
      expect((await copy('foreign:v1', 'foreign-left:v1')).digest).toBe(digest);
      expect(seen).toEqual([]);
      expect(await target('foreign-left').exists(layer('/right'))).toBe(false);
      await copy('foreign:v1', 'foreign-taken:v1', { foreignLayers: true });
      expect(seen).toEqual([undefined]);
      expect(await target('foreign-taken').exists(layer('/right'))).toBe(true);
    });

    it.each([
      ['/wrong', 'DIGEST_MISMATCH'],
      ['/long', 'SIZE_MISMATCH'],
      ['/none', 'NOT_FOUND'],
    ])('%s is not taken', async (path, code) => {
      await push('bad', path);
      const taken = copy('foreign:bad', 'foreign-bad:v1', { foreignLayers: true });
      await expect(taken).rejects.toMatchObject({ code: 'COPY_FAILED', cause: { code } });
      await expect(target('foreign-bad').resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('have names in both formats, but docker has none for plain tars', async () => {
      await push('v1', '/right');
      const docker = await convert('foreign:v1', 'foreign:docker', { format: 'docker' });
      expect((await manifestAt('foreign', docker)).layers[0]).toMatchObject({
        mediaType: mediaTypes.dockerForeignLayer,
        urls: [expect.stringContaining('/right')],
      });
      const plain = { layers: [layer('/right', mediaTypes.ociForeignLayer)] };
      await pushImage(target('foreign'), 'plain', { manifest: plain });
      await expect(convert('foreign:plain', 'foreign:x', { format: 'docker' })).rejects.toMatchObject({
        code: 'UNSUPPORTED_MEDIA_TYPE',
      });
    });
  });
});
