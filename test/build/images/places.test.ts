import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyImage, type CopyImageOptions, listTags, openPlace, type PlaceOptions } from '../../../src/build/index.ts';
import { Registries } from '../../../src/registry/index.ts';
import { type EmbeddedRegistry, embeddedRegistry } from '../../registry/embedded.ts';
import { pushImage, pushIndex } from '../../registry/made-images.ts';

describe('places of images', () => {
  let registry: EmbeddedRegistry;
  let folder: string;
  const registries = new Registries();
  const noStore = () => Promise.reject(new Error('the store is opened'));
  const places: PlaceOptions = { open: async (name, access) => registries.open(name, access), openStore: noStore };
  const copy = async (from: string, to: string, options: Partial<CopyImageOptions> = {}) =>
    (await copyImage(from, to, { ...places, referrers: false, ...options })).descriptor;

  beforeAll(async () => {
    registry = await embeddedRegistry();
    folder = await mkdtemp(join(tmpdir(), 'slipway-places-'));
  });
  afterAll(async () => {
    await registries[Symbol.asyncDispose]();
    await registry.close();
    await rm(folder, { recursive: true });
  });

  const at = (name: string): string => `${registry.host}/${name}`;
  const target = (name: string) => registries.open(at(name), 'push');

  it('a name without a place is in a registry, on both sides, and no store is opened', async () => {
    const { digest } = await pushIndex(await target('from'), 'v1');
    expect((await copy(at('from:v1'), at('to:v2'))).digest).toBe(digest);
    expect((await (await target('to')).resolve('v2')).digest).toBe(digest);
  });

  it('the same content goes through every kind of file and back with its digest', async () => {
    const { digest } = await pushImage(await target('round'), 'v1');
    const stops = [`oci:${folder}/layout:a`, `oci-archive:${folder}/oci.tar:b`, `docker-archive:${folder}/d.tar:c:1`];
    let last = at('round:v1');
    for (const stop of [...stops, at('round:back')]) {
      expect((await copy(last, stop)).digest).toBe(digest);
      last = stop;
    }
    await using place = await openPlace(stops[0] ?? '', places);
    expect(await listTags(place)).toEqual(['a']);
    await using repository = await openPlace(at('round'), places);
    expect(await listTags(repository)).toEqual(['back', 'v1']);
  });

  it('says where an image is that only the store has', async () => {
    const isInStore = async (name: string) => name === at('mine');
    for (const [name, hint] of [
      [at('mine'), `${at('mine')}:latest is in the store: write store:${at('mine')}`],
      [at('other'), 'Check the name and the tag.'],
    ] as const) {
      await using place = await openPlace(name, { ...places, isInStore });
      await expect(place.resolve()).rejects.toMatchObject({ code: 'NOT_FOUND', hint });
    }
  });

  it('writes nothing to a digest', async () => {
    const { digest } = await pushImage(await target('digests'), 'v1');
    await expect(copy(at('digests:v1'), `${at('digests')}@${digest}`)).rejects.toMatchObject({
      code: 'OUTPUT_INVALID',
    });
  });
});
