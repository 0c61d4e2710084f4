import { describe, expect, it } from '@jest/globals';
import { type Descriptor, type Digest, digestOf, type ImageConfig, mediaTypes } from '../../src/oci/index.ts';
import { ScratchStore } from './scratch-store.ts';

const diffId = digestOf('tar');
const form = { mediaTypes: 'oci', compression: 'gzip' } as const;
const blob = (text: string): Descriptor => ({
  mediaType: mediaTypes.ociLayerGzip,
  digest: digestOf(text),
  size: text.length,
});
const configOf = (...diffIds: Digest[]): ImageConfig => ({
  platform: { os: 'linux', architecture: 'amd64' },
  config: {},
  diffIds,
  history: [],
});

describe('a layer that a cache claims to have', () => {
  it('is to be had from where the cache is', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    store.adoptLayer(diffId, blob('claimed'), 'registry.example/cache');
    expect(store.content.sources(blob('claimed').digest)).toEqual(['registry.example/cache']);
    expect(await store.layerBlob(diffId, form, { allowRemote: true })).toEqual(blob('claimed'));
  });

  it.each([
    ['before', true],
    ['after', false],
  ])("comes %s a manifest's word for it and never takes its place", async (_order, claimFirst) => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const claim = (): void => store.adoptLayer(diffId, blob('false'), 'registry.example/cache');
    if (claimFirst) claim();
    store.adoptRemote(configOf(diffId), [blob('true')], 'registry.example/base');
    if (!claimFirst) claim();
    expect(await store.layerBlob(diffId, form, { allowRemote: true })).toEqual(blob('true'));
  });

  it('of which a manifest says the same is as good as any', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    for (const text of ['first', 'second']) store.adoptLayer(diffId, blob(text), 'registry.example/cache');
    store.adoptRemote(configOf(diffId), [blob('second')], 'registry.example/base');
    store.adoptLayer(diffId, blob('second'), 'registry.example/cache');
    expect(await store.layerBlob(diffId, form, { allowRemote: true })).toEqual(blob('second'));
  });
});
