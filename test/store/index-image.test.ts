import { expect, it } from '@jest/globals';
import {
  describe as describeContent,
  type Descriptor,
  type Digest,
  mediaTypes,
  serializeIndex,
} from '../../src/oci/index.ts';
import type { Store } from '../../src/store/index.ts';
import { buildImage, type BuiltImage } from './make-image.ts';
import { asRoot, isRoot, ScratchStore } from './scratch-store.ts';

const test = isRoot ? it : it.skip;
const gzip = { mediaTypes: 'oci', compression: 'gzip' } as const;

interface Indexed {
  readonly index: Descriptor;
  readonly images: readonly BuiltImage[];
}

/** An index of two images, the second of which no machine of these tests runs. */
async function index(store: Store, name: string): Promise<Indexed> {
  const images: BuiltImage[] = [];
  const manifests: Descriptor[] = [];
  for (const [at, architecture] of [process.arch === 'arm64' ? 'arm64' : 'amd64', 's390x'].entries()) {
    const platform = { os: 'linux', architecture };
    const { config } = await buildImage(store, [{ [`file-${at}`]: architecture }], []);
    const id = await store.images.create({ ...config, platform }, []);
    images.push({ id, config });
    manifests.push({ ...(await store.materialize(id, gzip)), platform });
  }
  const content = serializeIndex({ kind: 'index', mediaType: mediaTypes.ociIndex, manifests });
  const descriptor = describeContent(mediaTypes.ociIndex, content);
  await store.target.push(descriptor, content);
  await store.target.tag(descriptor, name);
  return { index: descriptor, images };
}

test(`a name of an index stands for this machine's image, and lists the others${asRoot}`, async () => {
  await using scratch = new ScratchStore();
  const store = await scratch.open();
  const { index: made, images } = await index(store, 'app:1');
  expect(store.images.find('app:1')?.id).toBe(images[0]?.id);
  expect(store.images.partsOf('app:1').toSorted()).toEqual(images.map(({ id }) => id).toSorted());
  expect(store.images.find(images[1]?.id ?? '')).toMatchObject({ names: [], partOf: ['docker.io/library/app:1'] });
  expect(store.images.find(images[0]?.id ?? '')).toMatchObject({ names: ['docker.io/library/app:1'], partOf: [] });
  expect(await store.manifestOf('app:1')).toEqual(made);
});

test(`another name of it is a name of the index too${asRoot}`, async () => {
  await using scratch = new ScratchStore();
  const store = await scratch.open();
  const { index: made, images } = await index(store, 'app:1');
  const id = images[0]?.id as Digest;
  store.images.tag(id, 'other:1', 'app:1');
  expect(await store.manifestOf('other:1')).toEqual(made);
  store.images.tag(id, 'alone:1', id);
  expect((await store.manifestOf('alone:1')).mediaType).toBe(mediaTypes.ociManifest);
});

test(`prune keeps what an index names${asRoot}`, async () => {
  await using scratch = new ScratchStore();
  const store = await scratch.open();
  const { index: made, images } = await index(store, 'app:1');
  await store.close();
  const later = await scratch.open();
  await later.prune({ all: false, buildCache: true });
  expect(images.map(({ id }) => later.images.find(id) !== undefined)).toEqual([true, true]);
  expect(await later.content.exists(made)).toBe(true);
});

test(`a manifest whose image was removed brings it back with its name${asRoot}`, async () => {
  await using scratch = new ScratchStore();
  const store = await scratch.open();
  const { id } = await buildImage(store, [{ file: 'x' }], []);
  const manifest = await store.materialize(id, gzip);
  store.images.remove(id);
  expect(store.images.find(id)).toBeUndefined();
  await store.target.tag(manifest, 'back:1');
  expect(store.images.find('back:1')?.id).toBe(id);
});

test(`an image is unused without a name, an index with one, and another process${asRoot}`, async () => {
  await using scratch = new ScratchStore();
  const store = await scratch.open();
  const { images } = await index(store, 'app:1');
  const { id } = await buildImage(store, [{ file: 'alone' }], []);
  expect([...images.map((each) => each.id), id].map((each) => store.images.removeUnused(each))).toEqual([
    false,
    false,
    true,
  ]);
  expect(store.images.removeUnused(id)).toBe(false);
  // A second opening has an owner of its own, as another process has.
  const other = await scratch.open();
  const used = await buildImage(other, [{ file: 'used' }], []);
  expect([store.images.removeUnused(used.id), other.images.removeUnused(used.id)]).toEqual([false, true]);
});

const forms = [
  ['annotations', { ...gzip, annotations: { a: '1' } }],
  ['other annotations', { ...gzip, annotations: { a: '2' } }],
  ['a level', { ...gzip, level: 1 }],
  ['another compression', { ...gzip, compression: 'none' }],
  ['docker types', { ...gzip, mediaTypes: 'docker' }],
] as const;

test.each(forms)(`a form with %s is a manifest of its own${asRoot}`, async (_, form) => {
  await using scratch = new ScratchStore();
  const store = await scratch.open();
  const { id } = await buildImage(store, [{ file: 'some content '.repeat(2000) }], ['app:1']);
  const [first, other] = [await store.materialize(id, gzip), await store.materialize(id, form)];
  expect(other.digest).not.toBe(first.digest);
  expect([await store.materialize(id, gzip), await store.materialize(id, form)]).toEqual([first, other]);
  // The first that was made for a name stays.
  expect(await store.manifestOf('app:1')).toEqual(first);
});
