import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  copyImage,
  describeBlob,
  listTags,
  openPlace,
  type PlaceOptions,
  putBlob,
  putManifest,
  readBlob,
  removeBlob,
  removeManifest,
  removeTag,
} from '../../../src/build/index.ts';
import { digestOf, fetchBytes } from '../../../src/oci/index.ts';
import { Registries } from '../../../src/registry/index.ts';
import { type EmbeddedRegistry, embeddedRegistry } from '../../registry/embedded.ts';
import { pushImage } from '../../registry/made-images.ts';

describe('raw objects', () => {
  let registry: EmbeddedRegistry;
  let folder: string;
  const registries = new Registries();
  const places: PlaceOptions = {
    open: async (name, access) => registries.open(name, access),
    openStore: () => Promise.reject(new Error('the store is opened')),
  };
  const at = (name: string): string => `${registry.host}/${name}`;
  const target = (name: string) => registries.open(at(name), 'push');
  const open = (text: string) => openPlace(text, places);

  beforeAll(async () => {
    registry = await embeddedRegistry();
    folder = await mkdtemp(join(tmpdir(), 'slipway-raw-'));
  });
  afterAll(async () => {
    await registries[Symbol.asyncDispose]();
    await registry.close();
    await rm(folder, { recursive: true });
  });

  const content = Buffer.from('0123456789'.repeat(1000));
  const read = async (stream: Readable) => Buffer.concat((await stream.toArray()) as Buffer[]);

  it.each([
    ['a file', 'sha256'],
    ['a stream', 'sha512'],
  ] as const)('%s becomes a blob, and is read whole and in part (%s)', async (kind, algorithm) => {
    const file = join(folder, 'blob');
    await writeFile(file, content);
    const digest = digestOf(content, algorithm);
    const source = kind === 'a file' ? file : Readable.from([content]);
    for (const name of [at('blobs'), `oci:${folder}/blobs`]) {
      const again = kind === 'a file' ? file : Readable.from([content]);
      const put = await putBlob(`${name}@${digest}`, name.startsWith('oci') ? again : source, places);
      expect(put).toMatchObject({ digest, size: content.length });
      await using place = await open(`${name}@${digest}`);
      const blob = await describeBlob(place);
      expect(blob.size).toBe(content.length);
      expect(await read(await readBlob(place, blob))).toEqual(content);
      for (const [start, end] of [
        [0, 0],
        [5, 14],
        [9990, undefined],
        [9990, 20_000],
      ] as const)
        expect(await read(await readBlob(place, blob, { range: { start, end } }))).toEqual(
          content.subarray(start, (end ?? content.length) + 1),
        );
      await expect(readBlob(place, blob, { range: { start: content.length } })).rejects.toMatchObject({
        code: 'OUTPUT_INVALID',
      });
    }
  });

  it('a blob that is not what was said is not stored', async () => {
    const wrong = digestOf('something else');
    const put = putBlob(`${at('wrong')}@${wrong}`, Readable.from([content]), places);
    await expect(put).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    await using place = await open(`${at('wrong')}@${wrong}`);
    await expect(describeBlob(place)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('a blob is deleted', async () => {
    const { digest } = await putBlob(at('gone'), Readable.from([content]), places);
    await using place = await open(`${at('gone')}@${digest}`);
    expect(await removeBlob(place)).toBe(digest);
    await expect(describeBlob(place)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each(['sha256', 'sha512'] as const)(
    'a manifest is stored byte for byte, by tag and by its %s',
    async (algorithm) => {
      const image = await pushImage(await target('raw'));
      // Not as we would write it.
      const text = ` ${(await fetchBytes(await target('raw'), image)).toString()}\n`;
      const bytes = Buffer.from(text);
      const digest = digestOf(bytes, algorithm);
      expect((await putManifest(`${at('raw')}@${digest}`, bytes, places)).digest).toBe(digest);
      const root = await (await target('raw')).resolve(digest);
      expect((await fetchBytes(await target('raw'), root)).toString()).toBe(text);
      const tagged = await putManifest(at('raw:tag'), bytes, places);
      expect((await (await target('raw')).resolve('tag')).digest).toBe(tagged.digest);
      const other = putManifest(`${at('raw')}@${digestOf('x', algorithm)}`, bytes, places);
      await expect(other).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    },
  );

  it('a manifest with other tags is deleted only by force', async () => {
    const image = await pushImage(await target('shared'), 'v1');
    await (await target('shared')).tag(image, 'v2');
    await using place = await open(at('shared:v1'));
    await expect(removeManifest(place)).rejects.toMatchObject({ message: `${image.digest} has other tags: v2` });
    await using byDigest = await open(`${at('shared')}@${image.digest}`);
    await expect(removeManifest(byDigest)).rejects.toThrow('v1, v2');
    await removeManifest(place, { force: true });
    await expect(place.resolve()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('nothing is deleted that was not named', async () => {
    await pushImage(await target('unnamed'), 'latest');
    await using place = await open(at('unnamed'));
    await expect(removeTag(place)).rejects.toThrow('says no tag');
    await expect(removeManifest(place, { force: true })).rejects.toThrow('says no tag');
    expect(await listTags(place)).toEqual(['latest']);
  });

  it('a layout loses one name; an archive is written whole', async () => {
    await pushImage(await target('names'), 'v1');
    const layout = `oci:${folder}/names`;
    for (const tag of ['a', 'b']) await copyImage(at('names:v1'), `${layout}:${tag}`, { ...places, referrers: false });
    await using place = await open(`${layout}:a`);
    await removeTag(place);
    expect(await listTags(place)).toEqual(['b']);
    await expect(removeTag(place)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const archive = `oci-archive:${folder}/names.tar:a`;
    await copyImage(at('names:v1'), archive, { ...places, referrers: false });
    await using packed = await open(archive);
    await expect(removeTag(packed)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect((await readFile(join(folder, 'names.tar'))).length).toBeGreaterThan(0);
  });
});
