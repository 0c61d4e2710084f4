import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { annotateIndex, copyImage, type EntryChanges, openPlace, type PlaceOptions } from '../../../src/build/index.ts';
import { type Descriptor, fetchBytes, mediaTypes, parseIndex } from '../../../src/oci/index.ts';
import { Registries } from '../../../src/registry/index.ts';
import { type EmbeddedRegistry, embeddedRegistry } from '../../registry/embedded.ts';
import { pushImage, pushIndex } from '../../registry/made-images.ts';

let registry: EmbeddedRegistry;
let folder: string;
const registries = new Registries();
const places: PlaceOptions = {
  open: async (name, access) => registries.open(name, access),
  openStore: () => Promise.reject(new Error('the store is opened')),
};
const at = (name: string): string => `${registry.host}/${name}`;

beforeAll(async () => {
  registry = await embeddedRegistry();
  folder = await mkdtemp(join(tmpdir(), 'slipway-annotate-'));
});
afterAll(async () => {
  await registries[Symbol.asyncDispose]();
  await registry.close();
  await rm(folder, { recursive: true });
});

async function entries(
  text: string,
): Promise<{ readonly root: Descriptor; readonly manifests: readonly Descriptor[] }> {
  await using place = await openPlace(text, places);
  const root = await place.resolve();
  return { root, manifests: parseIndex(await fetchBytes(place.target, root), root.mediaType).manifests };
}

it.each(['docker://', 'oci:', 'oci-archive:'])(
  'an index in %s says something else of one entry, and keeps its name',
  async (kind) => {
    await pushIndex(await registries.open(at('list'), 'push'), 'v1');
    const text = kind === 'docker://' ? `docker://${at('list:v1')}` : `${kind}${folder}/${kind.slice(0, -1)}:v1`;
    if (kind !== 'docker://') await copyImage(at('list:v1'), text, { ...places, referrers: false });
    const before = await entries(text);
    const arm = before.manifests[1];
    const changes: EntryChanges = { platform: { variant: 'v9' }, annotations: { k: 'v' } };
    const changed = await annotateIndex(text, arm?.digest ?? '', changes, places);
    const after = await entries(text);
    expect(after.root.digest).toBe(changed.digest);
    expect(after.manifests[0]).toEqual(before.manifests[0]);
    expect(after.manifests[1]).toEqual({
      ...arm,
      platform: { os: 'linux', architecture: 'arm64', variant: 'v9' },
      annotations: { k: 'v' },
    });
    // All that it lists is still to be had.
    await copyImage(text, `oci:${folder}/whole-${kind.slice(0, 3)}:1`, { ...places, referrers: false });
  },
);

it('what is annotated must be listed, in an index, and have a whole platform', async () => {
  const image = await pushImage(await registries.open(at('single'), 'push'), 'v1');
  const list = `docker://${at('single:v1')}`;
  const refuse = (text: string, digest: string) => annotateIndex(text, digest, { platform: { os: 'linux' } }, places);
  await expect(refuse(list, image.digest)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  const layout = `docker://${at('list:v1')}`;
  await expect(refuse(layout, image.digest)).rejects.toMatchObject({
    code: 'IMAGE_NOT_FOUND',
    details: [expect.stringContaining('linux/amd64'), expect.stringContaining('arm64')],
  });
  expect((await entries(layout)).root.mediaType).toBe(mediaTypes.ociIndex);
});
