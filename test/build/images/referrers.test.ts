import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyImage, openDestination, openPlace, type PlaceOptions } from '../../../src/build/index.ts';
import {
  describe as describeContent,
  type Descriptor,
  digestOf,
  type Manifest,
  mediaTypes,
  serializeManifest,
  type Target,
} from '../../../src/oci/index.ts';
import { Registries } from '../../../src/registry/index.ts';
import { type EmbeddedRegistry, embeddedRegistry } from '../../registry/embedded.ts';
import { pushImage } from '../../registry/made-images.ts';
import { withoutReferrers } from '../../registry/without-referrers.ts';

const empty = Buffer.from('{}');
const emptyBlob = describeContent(mediaTypes.ociEmpty, empty);

/** What refers to an image, and what refers to that, are copied with it between places that list referrers and those that do not. */
describe('what refers to an image', () => {
  let modern: EmbeddedRegistry;
  let old: EmbeddedRegistry;
  let folder: string;
  const registries = new Registries();
  const places: PlaceOptions = {
    open: async (name, access) => registries.open(name, access),
    openStore: () => Promise.reject(new Error('the store is opened')),
  };

  beforeAll(async () => {
    [modern, old] = await Promise.all([embeddedRegistry(), embeddedRegistry({ layers: [withoutReferrers] })]);
    folder = await mkdtemp(join(tmpdir(), 'slipway-referrers-'));
  });
  afterAll(async () => {
    await registries[Symbol.asyncDispose]();
    await Promise.all([modern.close(), old.close()]);
    await rm(folder, { recursive: true });
  });

  const kinds = ['a registry with the API', 'a registry without it', 'a layout'] as const;
  const at = (kind: string, name: string): string =>
    kind === 'a layout' ? `oci:${folder}/${name}:v1` : `${(kind === kinds[0] ? modern : old).host}/${name}:v1`;

  async function artifact(to: Target, subject: Descriptor, artifactType: string): Promise<Descriptor> {
    await to.push(emptyBlob, empty);
    const { mediaType, digest, size } = subject;
    return pushImage(to, undefined, {
      layers: [artifactType],
      manifest: {
        artifactType,
        config: emptyBlob,
        subject: { mediaType, digest, size },
        annotations: { about: artifactType },
      },
    });
  }

  async function listed(text: string, subject: Descriptor): Promise<readonly unknown[]> {
    await using place = await openPlace(text, places);
    const found = await place.target.referrers(subject.digest);
    return found
      .map(({ digest, artifactType, annotations }) => ({ digest, artifactType, annotations }))
      .toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
  }

  describe.each(kinds)('from %s', (from) => {
    it.each(kinds)('to %s', async (to) => {
      const name = `from-${kinds.indexOf(from)}-to-${kinds.indexOf(to)}`;
      const source = at(from, name);
      const destination = at(to, `${name}-copied`);
      await using place = await openDestination(source, places);
      const image = await pushImage(place.target, 'v1');
      const sbom = await artifact(place.target, image, 'test/sbom');
      await artifact(place.target, image, 'test/signature');
      await artifact(place.target, sbom, 'test/signature-of-sbom');
      await copyImage(source, destination, { ...places, referrers: true });
      const expected = await listed(source, image);
      const about = (artifactType: string) =>
        expect.objectContaining({ artifactType, annotations: { about: artifactType } });
      expect(expected).toEqual(expect.arrayContaining([about('test/sbom'), about('test/signature')]));
      expect(expected).toHaveLength(2);
      expect(await listed(destination, image)).toEqual(expected);
      expect(await listed(destination, sbom)).toEqual(await listed(source, sbom));
      expect(await listed(destination, sbom)).toHaveLength(1);
    });
  });

  it.each(kinds)('an image of sha512 digests goes to %s and back', async (kind) => {
    const sha512 = (mediaType: string, content: Buffer): Descriptor => ({
      mediaType,
      digest: digestOf(content, 'sha512'),
      size: content.length,
    });
    const from = await registries.open(`${modern.host}/sha512`, 'push');
    const [config, layer] = [
      Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'),
      Buffer.from('x'),
    ];
    const manifest: Manifest = {
      kind: 'manifest',
      mediaType: mediaTypes.ociManifest,
      config: sha512(mediaTypes.ociConfig, config),
      layers: [sha512(mediaTypes.ociLayer, layer)],
    };
    await from.push(manifest.config, config);
    await from.push(manifest.layers[0] ?? emptyBlob, layer);
    const content = serializeManifest(manifest);
    const root = sha512(mediaTypes.ociManifest, content);
    await from.push(root, content);
    const there = at(kind, `sha512-${kinds.indexOf(kind)}`);
    const pinned = `${modern.host}/sha512@${root.digest}`;
    const options = { ...places, referrers: false };
    expect((await copyImage(pinned, there, options)).descriptor.digest).toBe(root.digest);
    const back = `${there.replace(/:v1$/, '')}@${root.digest}`;
    expect(
      (await copyImage(back, `${modern.host}/sha512-back:${kinds.indexOf(kind)}`, options)).descriptor.digest,
    ).toBe(root.digest);
  });
});
