import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type Descriptor,
  describe as describeContent,
  type DigestAlgorithm,
  digestOf,
  fetchBytes,
  type Manifest,
  mediaTypes,
  serializeIndex,
  serializeManifest,
  type Target,
} from '../../src/oci/index.ts';

/** One empty Target under test. */
export interface TargetUnderTest {
  readonly target: Target;
  /**
   * A second look at the same place: opened anew, by another process as it were. For an archive it finishes the file and
   * opens it for reading. Called at most once per test, after which `target` is not written to.
   */
  readonly reopen?: () => Promise<Target>;
  readonly cleanup: () => Promise<void>;
  /** Names of anything half-written that is visible where the Target keeps its things; checked after failed pushes. */
  readonly leftovers?: () => Promise<readonly string[]>;
}

/** What a Target is known not to do; everything is expected unless said. */
export interface TargetTraits {
  readonly referrers?: boolean;
  readonly sha512?: boolean;
  /** Turns a short word into a reference that this place accepts (the store wants full image names); identity unless given. */
  readonly reference?: (word: string) => string;
}

/**
 * The contract that every Target keeps (src/oci/target.ts). `make` gives a fresh, empty one for each test.
 * Use: `targetContract('layout folder', async () => ({ target, reopen, cleanup }))` at the top of a test file.
 */
export function targetContract(name: string, make: () => Promise<TargetUnderTest>, traits: TargetTraits = {}): void {
  const named = traits.reference ?? ((word: string): string => word);
  const open: TargetUnderTest[] = [];
  const fresh = async (): Promise<TargetUnderTest> => {
    const made = await make();
    open.push(made);
    return made;
  };
  const again = (made: TargetUnderTest): Promise<Target> => made.reopen?.() ?? Promise.resolve(made.target);

  describe(`${name} is a Target`, () => {
    afterEach(async () => {
      for (const made of open.splice(0)) await made.cleanup();
    });

    describe('content', () => {
      it('gives back the bytes that were pushed', async () => {
        const made = await fresh();
        const blob = blobOf('some bytes');
        await made.target.push(blob.descriptor, blob.content);
        expect(await made.target.exists(blob.descriptor)).toBe(true);
        expect(await text(made.target, blob.descriptor)).toBe('some bytes');
      });

      it('keeps the bytes of an image for whoever opens the place later', async () => {
        const made = await fresh();
        const image = await pushImage(made.target, 'kept');
        await made.target.tag(image.descriptor, named('v1'));
        const later = await again(made);
        expect(await later.exists(image.layer)).toBe(true);
        expect(await text(later, image.layer)).toBe('layer of kept');
        expect(Buffer.from(await fetchBytes(later, image.descriptor))).toEqual(image.content);
      });

      it('says what is not there', async () => {
        const { target } = await fresh();
        const { descriptor } = blobOf('never pushed');
        expect(await target.exists(descriptor)).toBe(false);
        await expect(text(target, descriptor)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      });

      it('takes a stream', async () => {
        const { target } = await fresh();
        const blob = blobOf('in three pieces');
        await target.push(blob.descriptor, Readable.from(pieces(blob.content, 6), { objectMode: false }));
        expect(await text(target, blob.descriptor)).toBe('in three pieces');
      });

      it('takes empty content', async () => {
        const { target } = await fresh();
        const blob = blobOf('');
        await target.push(blob.descriptor, Readable.from([], { objectMode: false }));
        expect(await text(target, blob.descriptor)).toBe('');
      });

      it('streams 5 MiB in and out unchanged', async () => {
        const { target } = await fresh();
        const content = randomBytes(5 * 1024 * 1024 + 17);
        const descriptor = describeContent(mediaTypes.ociLayer, content);
        await target.push(descriptor, Readable.from(pieces(content, 50_000), { objectMode: false }));
        expect(Buffer.compare(await read(target, descriptor), content)).toBe(0);
      });

      it('streams from an offset', async () => {
        const { target } = await fresh();
        const blob = blobOf('0123456789');
        await target.push(blob.descriptor, blob.content);
        expect((await read(target, blob.descriptor, 4)).toString()).toBe('456789');
      });

      it('takes what it has already as success', async () => {
        const { target } = await fresh();
        const blob = blobOf('twice');
        await target.push(blob.descriptor, blob.content);
        await target.push(blob.descriptor, blob.content);
        await target.push(blob.descriptor, Readable.from([blob.content], { objectMode: false }));
        expect(await text(target, blob.descriptor)).toBe('twice');
      });

      it('takes the same content from several pushers at once', async () => {
        const made = await fresh();
        const content = randomBytes(300_000);
        const descriptor = describeContent(mediaTypes.ociLayer, content);
        const push = (): Promise<void> =>
          made.target.push(descriptor, Readable.from(pieces(content, 10_000), { objectMode: false }));
        await Promise.all([push(), push(), push(), push()]);
        expect(Buffer.compare(await read(made.target, descriptor), content)).toBe(0);
        expect((await made.leftovers?.()) ?? []).toEqual([]);
      });

      (traits.sha512 === false ? it.skip : it)('knows sha512', async () => {
        const { target } = await fresh();
        const blob = blobOf('long digest', 'sha512');
        await target.push(blob.descriptor, blob.content);
        expect(await target.exists(blob.descriptor)).toBe(true);
        expect(await text(target, blob.descriptor)).toBe('long digest');
      });
    });

    describe('a push that fails leaves nothing', () => {
      const good = blobOf('the real content');
      const same = (content: string): Buffer => Buffer.from(content.padEnd(good.content.byteLength, '.'));
      const cases: readonly [string, () => Readable | Uint8Array, string][] = [
        ['other bytes of the same length', () => same('forged'), 'DIGEST_MISMATCH'],
        ['other bytes, streamed', () => Readable.from([same('forged')], { objectMode: false }), 'DIGEST_MISMATCH'],
        ['too few bytes', () => good.content.subarray(0, 5), 'SIZE_MISMATCH'],
        [
          'a stream that ends early',
          () => Readable.from([good.content.subarray(0, 5)], { objectMode: false }),
          'SIZE_MISMATCH',
        ],
        ['too many bytes', () => Buffer.concat([good.content, Buffer.from('!')]), 'SIZE_MISMATCH'],
        ['a stream that does not end', () => Readable.from(endless(), { objectMode: false }), 'SIZE_MISMATCH'],
        ['a stream that breaks', () => Readable.from(breaking(good.content), { objectMode: false }), 'BROKEN'],
      ];
      it.each(cases)('%s', async (_, content, code) => {
        const made = await fresh();
        await expect(made.target.push(good.descriptor, content())).rejects.toMatchObject({ code });
        expect(await made.target.exists(good.descriptor)).toBe(false);
        await expect(text(made.target, good.descriptor)).rejects.toMatchObject({ code: 'NOT_FOUND' });
        expect((await made.leftovers?.()) ?? []).toEqual([]);
        await made.target.push(good.descriptor, good.content);
        expect(await text(made.target, good.descriptor)).toBe('the real content');
      });

      it('is aborted midway', async () => {
        const made = await fresh();
        const controller = new AbortController();
        const stalled = new Readable({ read: () => undefined });
        stalled.push(good.content.subarray(0, 4));
        const pushed = made.target.push(good.descriptor, stalled, { signal: controller.signal });
        const refused = expect(pushed).rejects.toMatchObject({ name: 'AbortError' });
        await nextTurn();
        controller.abort();
        await refused;
        expect(await made.target.exists(good.descriptor)).toBe(false);
        expect((await made.leftovers?.()) ?? []).toEqual([]);
        stalled.destroy();
      });

      it('is aborted before it starts', async () => {
        const { target } = await fresh();
        const pushed = target.push(good.descriptor, good.content, { signal: AbortSignal.abort() });
        await expect(pushed).rejects.toMatchObject({ name: 'AbortError' });
        expect(await target.exists(good.descriptor)).toBe(false);
      });
    });

    describe('references', () => {
      it('resolves a tag and a digest to the manifest', async () => {
        const made = await fresh();
        const image = await pushImage(made.target, 'a');
        await made.target.tag(image.descriptor, named('v1'));
        const later = await again(made);
        expect(await later.resolve(named('v1'))).toMatchObject(image.descriptor);
        expect(await later.resolve(image.descriptor.digest)).toMatchObject(image.descriptor);
      });

      it('moves a tag', async () => {
        const made = await fresh();
        const first = await pushImage(made.target, 'first');
        const second = await pushImage(made.target, 'second');
        await made.target.tag(first.descriptor, named('latest'));
        await made.target.tag(second.descriptor, named('latest'));
        expect(await (await again(made)).resolve(named('latest'))).toMatchObject(second.descriptor);
      });

      it('gives one manifest several tags, set at once', async () => {
        const made = await fresh();
        const image = await pushImage(made.target, 'many');
        const tags = ['one', 'two', 'three', 'four'].map(named);
        await Promise.all(tags.map((tag) => made.target.tag(image.descriptor, tag)));
        const later = await again(made);
        for (const tag of tags) expect(await later.resolve(tag)).toMatchObject(image.descriptor);
      });

      it('tags an index', async () => {
        const made = await fresh();
        const image = await pushImage(made.target, 'indexed');
        const manifests = [{ ...image.descriptor, platform: { os: 'linux', architecture: 'amd64' } }];
        const content = serializeIndex({ kind: 'index', mediaType: mediaTypes.ociIndex, manifests });
        const descriptor = describeContent(mediaTypes.ociIndex, content);
        await made.target.push(descriptor, content);
        await made.target.tag(descriptor, named('all'));
        const later = await again(made);
        expect(await later.resolve(named('all'))).toMatchObject(descriptor);
        expect(await later.exists(image.layer)).toBe(true);
      });

      it('does not resolve what is not there', async () => {
        const { target } = await fresh();
        await pushImage(target, 'untagged');
        const absent = digestOf('no such manifest');
        await expect(target.resolve(named('absent'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
        await expect(target.resolve(absent)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      });

      it('does not tag what is not there', async () => {
        const { target } = await fresh();
        const { descriptor } = imageOf('absent');
        await expect(target.tag(descriptor, named('v1'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
        await expect(target.resolve(named('v1'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
      });
    });

    (traits.referrers === false ? describe.skip : describe)('referrers', () => {
      it('lists the manifests with that subject, by artifact type if asked', async () => {
        const made = await fresh();
        const subject = await pushImage(made.target, 'subject');
        await made.target.tag(subject.descriptor, named('v1'));
        const signature = await pushArtifact(made.target, subject.descriptor, 'application/vnd.test.signature');
        const sbom = await pushArtifact(made.target, subject.descriptor, 'application/vnd.test.sbom');
        const digests = async (type?: string): Promise<string[]> =>
          (await made.target.referrers(subject.descriptor.digest, type)).map(({ digest }) => digest).toSorted();
        expect(await digests()).toEqual([signature.digest, sbom.digest].toSorted());
        expect(await digests('application/vnd.test.sbom')).toEqual([sbom.digest]);
        const [entry] = await made.target.referrers(subject.descriptor.digest, 'application/vnd.test.sbom');
        expect(entry).toMatchObject({ artifactType: 'application/vnd.test.sbom', annotations: { note: 'kept' } });
      });

      it('lists none where there are none', async () => {
        const { target } = await fresh();
        const { descriptor } = await pushImage(target, 'lonely');
        expect(await target.referrers(descriptor.digest)).toEqual([]);
      });
    });
  });
}

export interface TestBlob {
  readonly descriptor: Descriptor;
  readonly content: Buffer;
}

export interface TestImage extends TestBlob {
  readonly config: Descriptor;
  readonly layer: Descriptor;
  readonly blobs: readonly TestBlob[];
}

export function blobOf(content: string | Buffer, algorithm: DigestAlgorithm = 'sha256'): TestBlob {
  const bytes = Buffer.from(content);
  const digest = digestOf(bytes, algorithm);
  return { descriptor: { mediaType: mediaTypes.ociLayer, digest, size: bytes.byteLength }, content: bytes };
}

/** A manifest with one config and one layer; the layer's bytes are `layer of <name>`, no real tar. */
export function imageOf(name: string): TestImage {
  const layer = blobOf(`layer of ${name}`);
  const content = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      config: { Labels: { name } },
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [layer.descriptor.digest] },
    }),
  );
  const config: TestBlob = { descriptor: describeContent(mediaTypes.ociConfig, content), content };
  const manifest: Manifest = {
    kind: 'manifest',
    mediaType: mediaTypes.ociManifest,
    config: config.descriptor,
    layers: [layer.descriptor],
  };
  const bytes = serializeManifest(manifest);
  return {
    descriptor: describeContent(mediaTypes.ociManifest, bytes),
    content: bytes,
    config: config.descriptor,
    layer: layer.descriptor,
    blobs: [layer, config],
  };
}

/** Pushes a small image, children first. */
export async function pushImage(target: Target, name: string): Promise<TestImage> {
  const image = imageOf(name);
  for (const blob of image.blobs) await target.push(blob.descriptor, blob.content);
  await target.push(image.descriptor, image.content);
  return image;
}

/** Pushes an artifact manifest that refers to `subject`. */
export async function pushArtifact(target: Target, subject: Descriptor, artifactType: string): Promise<Descriptor> {
  const empty = Buffer.from('{}');
  const config = describeContent(mediaTypes.ociEmpty, empty);
  await target.push(config, empty);
  const manifest: Manifest = {
    kind: 'manifest',
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config,
    layers: [config],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations: { note: 'kept' },
  };
  const content = serializeManifest(manifest);
  const descriptor = describeContent(mediaTypes.ociManifest, content);
  await target.push(descriptor, content);
  return descriptor;
}

async function read(target: Target, descriptor: Descriptor, offset = 0): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of (await target.fetch(descriptor, { offset })) as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function text(target: Target, descriptor: Descriptor): Promise<string> {
  return (await read(target, descriptor)).toString();
}

function* pieces(content: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < content.byteLength; at += size) yield content.subarray(at, at + size);
}

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(64 * 1024);
}

/** A source of our own that fails after its first bytes. */
async function* breaking(content: Buffer): AsyncGenerator<Buffer> {
  yield content.subarray(0, 4);
  await nextTurn();
  throw Object.assign(new Error('the source broke'), { code: 'BROKEN' });
}
