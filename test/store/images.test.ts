import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  chainIdOfAll,
  copyGraph,
  type Descriptor,
  type Digest,
  fetchBytes,
  mediaTypes,
  parseManifest,
} from '../../src/oci/index.ts';
import type { Store } from '../../src/store/index.ts';
import { buildImage } from './make-image.ts';
import { asRoot, isRoot, ScratchStore } from './scratch-store.ts';

const rootIt = isRoot ? it : it.skip;
const gzip = { mediaTypes: 'oci', compression: 'gzip' } as const;
const layers = [{ 'etc/os': 'debian', 'bin/sh': 'x'.repeat(5000) }, { 'app/main': 'hello' }];

describe(`images${asRoot}`, () => {
  const lookups: readonly (readonly [string, (id: Digest) => string])[] = [
    ['a short name', () => 'web'],
    ['a full name', () => 'docker.io/library/web:latest'],
    ['another tag', () => 'example.com:5000/a/b:1'],
    ['an id', (id) => id],
    ['an id without its algorithm', (id) => id.slice(7)],
    ['a short id', (id) => id.slice(7, 19)],
    ['a repository digest', () => `example.com/r@sha256:${'a'.repeat(64)}`],
  ];
  (isRoot ? it.each(lookups) : it.skip.each(lookups))('are found by %s', async (_, reference) => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const { id } = await buildImage(store, layers, ['web', 'example.com:5000/a/b:1']);
    store.images.addRepoDigest(id, `example.com/r@sha256:${'a'.repeat(64)}`);
    expect(store.images.find(reference(id))).toMatchObject({
      id,
      names: ['docker.io/library/web:latest', 'example.com:5000/a/b:1'],
      platform: { os: 'linux', architecture: 'amd64' },
    });
  });

  rootIt('are registered by several parts of one process at once', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const { id, config } = await buildImage(store, layers, ['web']);
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    expect(await Promise.all(names.map((name) => store.images.create(config, [name])))).toEqual(names.map(() => id));
    expect(store.images.find(id)?.names).toHaveLength(names.length + 1);
  });

  rootIt('are not found by what is not theirs', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    await buildImage(store, layers, ['web']);
    for (const word of ['other', 'web:2', 'UPPER', '', `sha256:${'0'.repeat(64)}`]) {
      expect(store.images.find(word)).toBeUndefined();
    }
  });

  rootIt('say when a short id could be several', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const seen = new Set<string>();
    let prefix: string | undefined;
    for (let at = 0; prefix === undefined; at++) {
      const { id } = await buildImage(store, [{ f: String(at) }], []);
      if (seen.has(id.slice(7, 8))) prefix = id.slice(7, 8);
      seen.add(id.slice(7, 8));
    }
    const ambiguous = prefix;
    expect(() => store.images.find(ambiguous)).toThrow(expect.objectContaining({ code: 'AMBIGUOUS_ID' }));
  });

  rootIt('lose a name to another image and dangle', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const first = await buildImage(store, [{ f: '1' }], ['web']);
    const second = await buildImage(store, [{ f: '2' }], ['web']);
    expect(store.images.find('web')?.id).toBe(second.id);
    expect(store.images.list().map(({ id, names }) => [id, names.length])).toEqual([
      [second.id, 1],
      [first.id, 0],
    ]);
  });

  rootIt('are untagged and removed', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const { id } = await buildImage(store, layers, ['web', 'web:2']);
    store.images.untag('web');
    expect(store.images.find('web')).toBeUndefined();
    expect(store.images.remove(id)).toEqual({ untagged: ['docker.io/library/web:2'], deleted: [id] });
    expect(store.images.list()).toEqual([]);
    expect(() => store.images.remove(id)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  rootIt('need layers that are here', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const { config } = await buildImage(store, layers, []);
    const unknown = { ...config, diffIds: [`sha256:${'0'.repeat(64)}` as Digest] };
    await expect(store.images.create(unknown, ['x'])).rejects.toMatchObject({ code: 'LAYERS_UNKNOWN' });
    expect(store.images.find('x')).toBeUndefined();
  });
});

describe(`materialize${asRoot}`, () => {
  rootIt('makes the same bytes in every store', async () => {
    const digests: Digest[] = [];
    for (const snapshotter of ['overlay', 'copy'] as const) {
      await using scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      const { id } = await buildImage(store, layers, ['web']);
      digests.push((await store.materialize(id, gzip)).digest);
    }
    expect(digests[1]).toBe(digests[0]);
  });

  const forms = [
    [gzip, mediaTypes.ociManifest, mediaTypes.ociLayerGzip],
    [{ mediaTypes: 'oci', compression: 'none' }, mediaTypes.ociManifest, mediaTypes.ociLayer],
    [{ mediaTypes: 'oci', compression: 'zstd', level: 5 }, mediaTypes.ociManifest, mediaTypes.ociLayerZstd],
    [{ mediaTypes: 'docker', compression: 'gzip' }, mediaTypes.dockerManifest, mediaTypes.dockerLayerGzip],
  ] as const;
  (isRoot ? it.each(forms) : it.skip.each(forms))('knows the form %j', async (form, manifestType, layerType) => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const { id } = await buildImage(store, layers, ['web']);
    const descriptor = await store.materialize(id, form);
    expect(descriptor.mediaType).toBe(manifestType);
    const manifest = parseManifest(await fetchBytes(store.target, descriptor), descriptor.mediaType);
    expect(manifest.layers.map((layer) => layer.mediaType)).toEqual([layerType, layerType]);
    expect(manifest.config.digest).toBe(id);
    for (const layer of manifest.layers) expect(store.content.state(layer.digest)).toBe('present');
  });

  rootIt('leaves a name its first form', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const { id } = await buildImage(store, layers, ['web']);
    const first = await store.materialize(id, gzip);
    const second = await store.materialize(id, { mediaTypes: 'docker', compression: 'zstd' });
    expect(second.digest).not.toBe(first.digest);
    expect(await store.target.resolve('web')).toEqual(first);
    expect(await store.materialize(id, gzip)).toEqual(first);
  });

  rootIt('is done by resolve for an image built here', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const { id } = await buildImage(store, layers, ['web']);
    expect(await store.target.resolve('web')).toEqual(await store.materialize(id, gzip));
  });

  rootIt('makes a layer again that was lost', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const { id } = await buildImage(store, layers, ['web']);
    const descriptor = await store.materialize(id, gzip);
    const [layer] = await layersOf(store, descriptor);
    fs.rmSync(path.join(scratch.root, 'blobs/sha256', layer?.digest.slice(7) ?? ''));
    expect(await store.materialize(id, gzip)).toEqual(descriptor);
    expect(store.content.state(layer?.digest ?? id)).toBe('present');
  });
});

describe(`an image that comes from elsewhere${asRoot}`, () => {
  /** A store with an image to copy from. */
  async function source(): Promise<{ scratch: ScratchStore; store: Store; root: Descriptor; image: Built }> {
    const scratch = new ScratchStore();
    const store = await scratch.open();
    const image = await buildImage(store, layers, ['web']);
    return { scratch, store, image, root: await store.materialize(image.id, gzip) };
  }
  type Built = Awaited<ReturnType<typeof buildImage>>;

  rootIt('is applied on the way in where it was announced', async () => {
    const from = await source();
    await using _ = from.scratch;
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const { config } = from.image;
    store.expectImage(from.root, config, await layersOf(from.store, from.root));
    await copyGraph(from.store.target, store.target, from.root);
    await store.target.tag(from.root, 'web');
    expect(store.snapshots.has(config.diffIds[0] as Digest)).toBe(true);
    await store.unpack(config.diffIds);
    const top = chainIdOfAll(config.diffIds) as Digest;
    expect(fs.readFileSync(`${store.snapshots.lowers(top)[0]}/app/main`, 'utf8')).toBe('hello');
    expect(store.images.find('web')).toMatchObject({ id: from.image.id, manifest: from.root });
    expect(await store.materialize(from.image.id, gzip)).toEqual(from.root);
  });

  rootIt('keeps its own compression in another form', async () => {
    const from = await source();
    await using _ = from.scratch;
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    await copyGraph(from.store.target, store.target, from.root);
    await store.unpack(from.image.config.diffIds);
    const docker = await store.materialize(from.image.id, { mediaTypes: 'docker', compression: 'zstd' });
    const kept = await layersOf(store, docker);
    expect(kept.map(({ digest }) => digest)).toEqual(
      (await layersOf(from.store, from.root)).map(({ digest }) => digest),
    );
    expect(kept[0]?.mediaType).toBe(mediaTypes.dockerLayerGzip);
  });

  rootIt('may leave its layers where they are until they are needed', async () => {
    const from = await source();
    await using _ = from.scratch;
    await using scratch = new ScratchStore();
    const asked: string[] = [];
    const store = await scratch.open({
      fetchRemote: (descriptor, sources) => {
        asked.push(`${sources.join()} ${descriptor.digest}`);
        return from.store.target.fetch(descriptor);
      },
    });
    const { config } = from.image;
    const wanted = await layersOf(from.store, from.root);
    const manifest = parseManifest(await fetchBytes(from.store.target, from.root));
    await store.target.push(manifest.config, await fetchBytes(from.store.target, manifest.config));
    store.adoptRemote(config, wanted, 'example.com/web');
    await store.target.push(from.root, await fetchBytes(from.store.target, from.root));
    await store.target.tag(from.root, 'web');
    expect(wanted.map(({ digest }) => store.content.state(digest))).toEqual(['remote', 'remote']);
    expect(indexNames(scratch)).toEqual([]);
    await store.unpack(config.diffIds);
    expect(asked).toEqual(wanted.map(({ digest }) => `example.com/web ${digest}`));
    expect(wanted.map(({ digest }) => store.content.state(digest))).toEqual(['present', 'present']);
    await store.close();
    expect(indexNames(scratch)).toEqual(['docker.io/library/web:latest']);
  });

  rootIt('is fetched by the next one who wants it, where the first gave up', async () => {
    const from = await source();
    await using _ = from.scratch;
    await using scratch = new ScratchStore();
    const first = new AbortController();
    const started = Promise.withResolvers<void>();
    let asked = 0;
    const store = await scratch.open({
      fetchRemote: async (descriptor, _sources, options) => {
        if (asked++ > 0) return from.store.target.fetch(descriptor);
        started.resolve();
        const { promise, reject } = Promise.withResolvers<never>();
        options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error));
        return promise;
      },
    });
    const { config } = from.image;
    store.adoptRemote(config, await layersOf(from.store, from.root), 'example.com/web');
    const given = expect(store.unpack(config.diffIds, { signal: first.signal })).rejects.toThrow('enough');
    await started.promise;
    const impatient = new AbortController();
    const left = expect(store.unpack(config.diffIds, { signal: impatient.signal })).rejects.toThrow('soon');
    const others = [store.unpack(config.diffIds), store.unpack(config.diffIds)];
    impatient.abort(new Error('soon'));
    await left;
    first.abort(new Error('enough'));
    await given;
    await Promise.all(others);
    expect(asked).toBe(3);
    expect(store.snapshots.has(chainIdOfAll(config.diffIds) as Digest)).toBe(true);
  });

  rootIt('is refused where a layer is not what its config says', async () => {
    const from = await source();
    await using _ = from.scratch;
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const [lower, upper] = await layersOf(from.store, from.root);
    const swapped = [upper, lower] as Descriptor[];
    store.expectImage(from.root, from.image.config, swapped);
    const pushed = store.target.push(swapped[0] as Descriptor, await from.store.target.fetch(swapped[0] as Descriptor));
    await expect(pushed).rejects.toMatchObject({ code: 'DIFF_ID_MISMATCH' });
    expect(scratch.files('snapshots')).toEqual(['.trash']);
    expect(scratch.files('blobs/sha256')).toEqual([]);
    expect(scratch.files('ingest')).toEqual([]);
  });

  rootIt('cannot lend its name to a layer that it only claims to have', async () => {
    const from = await source();
    await using _ = from.scratch;
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const [lower, upper] = (await layersOf(from.store, from.root)) as [Descriptor, Descriptor];
    await store.target.push(upper, await from.store.target.fetch(upper));
    await store.target.push(lower, await from.store.target.fetch(lower));
    store.adoptRemote(from.image.config, [upper, lower], 'evil.example/web');
    store.adoptRemote(from.image.config, [lower, upper], 'example.com/web');
    await store.unpack(from.image.config.diffIds);
    expect(store.snapshots.has(chainIdOfAll(from.image.config.diffIds) as Digest)).toBe(true);
  });
});

describe(`other tools${asRoot}`, () => {
  rootIt('read a complete image in place', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const { id } = await buildImage(store, layers, ['web']);
    const { digest } = await store.materialize(id, gzip);
    await store.close();
    expect(indexNames(scratch)).toEqual(['docker.io/library/web:latest']);
    if (!fs.existsSync('/usr/bin/skopeo')) return;
    const image = `oci:${scratch.root}:docker.io/library/web:latest`;
    expect(JSON.parse(execFileSync('skopeo', ['inspect', image], { encoding: 'utf8' }))).toMatchObject({
      Digest: digest,
    });
  });
});

async function layersOf(store: Store, manifest: Descriptor): Promise<readonly Descriptor[]> {
  return parseManifest(await fetchBytes(store.target, manifest), manifest.mediaType).layers;
}

function indexNames(scratch: ScratchStore): string[] {
  const index = JSON.parse(fs.readFileSync(path.join(scratch.root, 'index.json'), 'utf8')) as {
    manifests: { annotations: Record<string, string> }[];
  };
  return index.manifests.map(({ annotations }) => annotations['org.opencontainers.image.ref.name'] ?? '');
}
