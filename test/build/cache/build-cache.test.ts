import { describe, expect, it } from '@jest/globals';
import { BuildCache } from '../../../src/build/cache/build-cache.ts';
import { factName, type ImportedCache, type ImportedRecord } from '../../../src/build/cache/imported.ts';
import { chainIdOf, type Descriptor, type Digest, digestOf, mediaTypes } from '../../../src/oci/index.ts';
import type { Store } from '../../../src/store/index.ts';
import { isRoot, ScratchStore } from '../../store/scratch-store.ts';
import { buildLayer } from '../../store/make-image.ts';

const rootIt = isRoot ? it : it.skip;
const key = digestOf('key');
const other = digestOf('other key');
const source = 'registry.example/app';

function layerOf(text: string): { readonly diffId: Digest; readonly blob: Descriptor } {
  const bytes = Buffer.from(text);
  return {
    diffId: digestOf(`tar of ${text}`),
    blob: { mediaType: mediaTypes.ociLayerGzip, digest: digestOf(bytes), size: bytes.length },
  };
}

function imported(record: Partial<ImportedRecord>, facts: readonly (readonly [string, string])[] = []): ImportedCache {
  const whole: ImportedRecord = {
    key,
    parts: { kind: 'run' },
    ...layerOf('layer'),
    parent: undefined,
    created: undefined,
    duration: undefined,
    ...record,
  };
  return { label: source, source, records: new Map([[whole.key, whole]]), facts: new Map(facts) };
}

function cacheOf(store: Store, imports: readonly ImportedCache[]): BuildCache {
  const cache = new BuildCache(store);
  cache.import(imports);
  return cache;
}

describe('the cache of a build', () => {
  it('knows what imported caches tell, without writing it into the store', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const { diffId, blob } = layerOf('layer');
    const cache = cacheOf(store, [imported({}, [[factName('selection', 'of'), 'digest']])]);
    expect(cache.get(key)).toEqual({ key, parts: { kind: 'run' }, diffId, parent: undefined, duration: undefined });
    expect(cache.fact('selection', 'of')).toBe('digest');
    expect([store.cache.get(key), store.cache.fact('selection', 'of')]).toEqual([undefined, undefined]);
    expect(store.content.state(blob.digest)).toBe('remote');
    expect([...cache.relied.keys()]).toEqual([diffId]);
  });

  it('adopts no layer of a record that nobody asked for', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const cache = cacheOf(store, [imported({})]);
    expect(cache.get(other)).toBeUndefined();
    expect(store.content.state(layerOf('layer').blob.digest)).toBeUndefined();
  });

  it('takes the first of several caches that knows a key', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const [first, second] = [layerOf('first'), layerOf('second')];
    const cache = cacheOf(store, [imported({ key: other }), imported(first), imported(second)]);
    expect(cache.get(key)?.diffId).toBe(first.diffId);
  });

  it('prefers a cache that has the layer to one that only tells of it', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const [told, held] = [layerOf('told'), layerOf('held')];
    const cache = cacheOf(store, [imported({ ...told, blob: undefined }), imported(held)]);
    expect(cache.get(key)?.diffId).toBe(held.diffId);
    expect(cacheOf(store, [imported({ ...told, blob: undefined })]).get(key)).toBeUndefined();
    expect(cacheOf(store, [imported({ ...told, blob: undefined })]).get(key, { withoutLayer: true })?.diffId).toBe(
      told.diffId,
    );
  });

  it('finds elsewhere the layer of a step of this machine that is gone here', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const { diffId, blob } = layerOf('layer');
    store.cache.put({ key, parts: { kind: 'run' }, diffId, parent: undefined });
    expect(cacheOf(store, [imported(layerOf('another'))]).get(key, { withoutLayer: true })?.diffId).toBe(diffId);
    const cache = cacheOf(store, [imported({ diffId, blob })]);
    expect(cache.get(key, { withoutLayer: true })?.diffId).toBe(diffId);
    expect(store.content.state(blob.digest)).toBe('remote');
  });

  it('rejects with a lost layer what lies on it and is nowhere', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const [lower, upper] = [layerOf('lower'), layerOf('upper')];
    const told = { blob: undefined };
    const cache = cacheOf(store, [
      imported({ ...lower, ...told }),
      imported({ key: other, ...upper, ...told, parent: chainIdOf(undefined, lower.diffId) }),
    ]);
    for (const each of [key, other]) cache.get(each, { withoutLayer: true });
    expect(cache.noteOf({ diffId: lower.diffId, why: '' }).level).toBe('info');
    expect(cache.reject([lower.diffId])).toEqual([lower.diffId]);
    expect(cache.get(other, { withoutLayer: true })).toBeUndefined();
    expect([...cache.used.keys()]).toEqual([]);
  });

  it('leaves out a layer that was rejected, and falls back to the next cache', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const [bad, good] = [layerOf('bad'), layerOf('good')];
    const cache = cacheOf(store, [imported(bad), imported(good)]);
    expect(cache.get(key)?.diffId).toBe(bad.diffId);
    expect(cache.reject([digestOf('a base layer'), bad.diffId])).toEqual([bad.diffId]);
    expect(cache.reject([bad.diffId])).toEqual([]); // a second time it would not help
    expect(cache.get(key)?.diffId).toBe(good.diffId);
    expect([...cache.relied.keys()]).toEqual([good.diffId]);
  });

  rootIt('prefers what was made here, and remembers all that the build used', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const made = await buildLayer(store, undefined, { file: 'x' });
    const cache = cacheOf(store, [imported({}), imported({ key: other })]);
    const record = { key, parts: { kind: 'copy' }, diffId: made, parent: undefined };
    cache.put(record);
    cache.putFact('created', key, '2026-01-01T00:00:00Z');
    cache.putFact('stat', 'of this machine', '1');
    cache.get(other);
    expect(cache.get(key)).toEqual(record);
    expect([...cache.used.keys()]).toEqual([key, other]);
    expect([...cache.usedFacts]).toEqual([{ kind: 'created', key, value: '2026-01-01T00:00:00Z' }]);
  });

  it('keeps to what it used or said, whatever another build writes into the store meanwhile', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const cache = cacheOf(store, []);
    cache.putFact('created', 'said', '2026-01-01T00:00:00Z');
    store.cache.putFact('created', 'used', '2026-01-02T00:00:00Z');
    expect(cache.fact('created', 'used')).toBe('2026-01-02T00:00:00Z');
    for (const name of ['said', 'used']) store.cache.putFact('created', name, '2026-02-03T00:00:00Z');
    expect([cache.fact('created', 'said'), cache.fact('created', 'used')]).toEqual([
      '2026-01-01T00:00:00Z',
      '2026-01-02T00:00:00Z',
    ]);
    expect([...cache.usedFacts].map(({ value }) => value)).toEqual(['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z']);
  });

  it('takes no word of imported caches for what others say of themselves', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const facts = ['url', 'commit-time', 'restack'].map((kind) => [factName(kind, 'of'), 'claimed'] as const);
    const cache = cacheOf(store, [imported({}, facts)]);
    for (const kind of ['url', 'commit-time', 'restack']) expect(cache.fact(kind, 'of')).toBeUndefined();
  });
});
