import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import {
  type CopyEvent,
  copyGraph,
  copyReference,
  describe as describeContent,
  type Descriptor,
  type Digest,
  digestOf,
  fetchBytes,
  type FetchOptions,
  mediaTypes,
  parseIndex,
  type Platform,
  serializeIndex,
  serializeManifest,
  type Target,
} from '../../src/oci/index.ts';
import { MemoryTarget } from '../../src/transports/index.ts';
import { blobOf, imageOf, pushArtifact, pushImage, type TestImage } from '../contracts/target-contract.ts';

/** Counts what is asked of it. */
class Spy extends MemoryTarget {
  readonly fetched: Digest[] = [];
  readonly pushed: Digest[] = [];
  running = 0;
  most = 0;

  override async fetch(descriptor: Descriptor, options?: FetchOptions): Promise<Readable> {
    this.fetched.push(descriptor.digest);
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    const stream = await super.fetch(descriptor, options);
    stream.once('close', () => (this.running -= 1));
    return stream;
  }

  override async push(descriptor: Descriptor, content: Readable | Uint8Array, options?: object): Promise<void> {
    await super.push(descriptor, content, options);
    this.pushed.push(descriptor.digest);
  }
}

async function pushIndex(target: Target, manifests: readonly Descriptor[]): Promise<Descriptor> {
  const content = serializeIndex({ kind: 'index', mediaType: mediaTypes.ociIndex, manifests });
  const descriptor = describeContent(mediaTypes.ociIndex, content);
  await target.push(descriptor, content);
  return descriptor;
}

const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const arm64: Platform = { os: 'linux', architecture: 'arm64' };

async function twoPlatforms(target: Target): Promise<{ root: Descriptor; amd: TestImage; arm: TestImage }> {
  const amd = await pushImage(target, 'amd');
  const arm = await pushImage(target, 'arm');
  const root = await pushIndex(target, [
    { ...amd.descriptor, platform: amd64 },
    { ...arm.descriptor, platform: arm64 },
    {
      ...(await pushImage(target, 'attestation of amd')).descriptor,
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': amd.descriptor.digest,
      },
    },
    { ...(await pushImage(target, 'other')).descriptor, platform: { os: 'linux', architecture: 's390x' } },
  ]);
  return { root, amd, arm };
}

describe('copyGraph', () => {
  it('copies an image, children before parents, each once', async () => {
    const [from, to] = [new Spy('from'), new Spy('to')];
    const image = await pushImage(from, 'a');
    expect(await copyGraph(from, to, image.descriptor)).toEqual(image.descriptor);
    expect(to.pushed.toSorted()).toEqual([image.layer, image.config, image.descriptor].map((d) => d.digest).toSorted());
    expect(to.pushed.at(-1)).toBe(image.descriptor.digest);
  });

  it('copies what two manifests share once', async () => {
    const [from, to] = [new Spy('from'), new Spy('to')];
    const shared = imageOf('shared');
    for (const blob of shared.blobs) await from.push(blob.descriptor, blob.content);
    const manifests: Descriptor[] = [];
    for (const name of ['x', 'y', 'z']) {
      const content = serializeManifest({
        kind: 'manifest',
        mediaType: mediaTypes.ociManifest,
        config: shared.config,
        layers: [shared.layer, shared.layer],
        annotations: { name },
      });
      manifests.push(describeContent(mediaTypes.ociManifest, content));
      await from.push(manifests.at(-1) as Descriptor, content);
    }
    await copyGraph(from, to, await pushIndex(from, manifests));
    expect(from.fetched.filter((digest) => digest === shared.layer.digest)).toHaveLength(1);
    expect(from.fetched).toHaveLength(new Set(from.fetched).size);
  });

  it('skips what is there, and all below a manifest that is there', async () => {
    const [from, to] = [new Spy('from'), new Spy('to')];
    const image = await pushImage(from, 'a');
    await copyGraph(from, to, image.descriptor);
    from.fetched.length = 0;
    const events: CopyEvent[] = [];
    await copyGraph(from, to, image.descriptor, { onEvent: (event) => events.push(event) });
    expect(events).toEqual([{ kind: 'skipped', descriptor: image.descriptor }]);
    expect(from.fetched).toEqual([]);
  });

  it('looks inside what is there if asked', async () => {
    const [from, to] = [new Spy('from'), new Spy('to')];
    const image = await pushImage(from, 'a');
    await to.push(image.descriptor, image.content);
    await copyGraph(from, to, image.descriptor, { existing: 'look-inside' });
    expect(await to.exists(image.layer)).toBe(true);
    expect(await to.exists(image.config)).toBe(true);
  });

  it('tells what happens', async () => {
    const [from, to] = [new Spy('from'), new Spy('to')];
    const image = await pushImage(from, 'a');
    const events: CopyEvent[] = [];
    await copyGraph(from, to, image.descriptor, { onEvent: (event) => events.push(event) });
    const ofLayer = events.filter(({ descriptor }) => descriptor.digest === image.layer.digest);
    expect(ofLayer).toEqual([
      { kind: 'started', descriptor: image.layer },
      { kind: 'progress', descriptor: image.layer, bytes: image.layer.size },
      { kind: 'done', descriptor: image.layer },
    ]);
    expect(events.at(-1)).toEqual({ kind: 'done', descriptor: image.descriptor });
  });

  it('runs no more transfers at once than asked, without a deadlock', async () => {
    for (const concurrency of [1, 3]) {
      const [from, to] = [new Spy('from'), new Spy('to')];
      const images = await Promise.all(Array.from({ length: 12 }, (_, at) => pushImage(from, `image ${at}`)));
      const inner = await pushIndex(
        from,
        images.map(({ descriptor }) => descriptor),
      );
      await copyGraph(from, to, await pushIndex(from, [inner]), { concurrency });
      expect(from.most).toBeLessThanOrEqual(concurrency);
      expect(to.pushed).toHaveLength(12 * 3 + 2);
    }
  });

  it('mounts instead of moving bytes where the destination can', async () => {
    class Mounting extends Spy {
      async mount(_descriptor: Descriptor, from: Target): Promise<boolean> {
        return from.label === 'sibling';
      }
    }
    const from = new Spy('from');
    const image = await pushImage(from, 'a');
    const events: CopyEvent[] = [];
    await copyGraph(from, new Mounting('to'), image.descriptor, {
      mountFrom: [from, new MemoryTarget('sibling')],
      onEvent: (event) => events.push(event),
    });
    expect(events).toContainEqual({ kind: 'mounted', descriptor: image.layer, from: 'sibling' });
    expect(from.fetched).toEqual([image.descriptor.digest]);
  });

  it('takes embedded data instead of fetching', async () => {
    const [from, to] = [new Spy('from'), new Spy('to')];
    const { descriptor: layer } = blobOf('inline');
    const empty = { ...blobOf('{}').descriptor, data: Buffer.from('{}') };
    const content = serializeManifest({
      kind: 'manifest',
      mediaType: mediaTypes.ociManifest,
      config: empty,
      layers: [{ ...layer, data: Buffer.from('inline') }],
    });
    const descriptor = describeContent(mediaTypes.ociManifest, content);
    await from.push(descriptor, content);
    await copyGraph(from, to, descriptor);
    expect(from.fetched).toEqual([descriptor.digest]);
    expect(await to.exists(layer)).toBe(true);
  });

  describe('of layers that may not be distributed', () => {
    const image = async (target: Target): Promise<{ root: Descriptor; foreign: Descriptor }> => {
      const { config, blobs } = imageOf('foreign');
      for (const blob of blobs) await target.push(blob.descriptor, blob.content);
      const layer = blobOf('a Windows layer');
      await target.push(layer.descriptor, layer.content);
      const foreign = {
        ...layer.descriptor,
        mediaType: mediaTypes.dockerForeignLayer,
        urls: ['http://169.254.169.254/latest'],
      };
      const content = serializeManifest({
        kind: 'manifest',
        mediaType: mediaTypes.ociManifest,
        config,
        layers: [foreign],
      });
      const root = describeContent(mediaTypes.ociManifest, content);
      await target.push(root, content);
      return { root, foreign };
    };

    it('copies none by default', async () => {
      const [from, to] = [new Spy('from'), new Spy('to')];
      const { root, foreign } = await image(from);
      const events: CopyEvent[] = [];
      await copyGraph(from, to, root, { onEvent: (event) => events.push(event) });
      expect(await to.exists(foreign)).toBe(false);
      expect(events).toContainEqual({ kind: 'omitted', descriptor: foreign });
    });

    it('copies them from the source if asked', async () => {
      const [from, to] = [new Spy('from'), new Spy('to')];
      const { root, foreign } = await image(from);
      await copyGraph(from, to, root, { foreignLayers: 'copy' });
      expect(await to.exists(foreign)).toBe(true);
    });
  });

  describe('of an index for some platforms', () => {
    it('takes one manifest alone for one platform', async () => {
      const [from, to] = [new Spy('from'), new Spy('to')];
      const { root, arm, amd } = await twoPlatforms(from);
      expect((await copyGraph(from, to, root, { platforms: [arm64] })).digest).toBe(arm.descriptor.digest);
      expect(await to.exists(amd.layer)).toBe(false);
      expect(await to.exists(root)).toBe(false);
    });

    it('makes a smaller index for two, with the attestations of what it keeps', async () => {
      const [from, to] = [new Spy('from'), new Spy('to')];
      const { root, arm, amd } = await twoPlatforms(from);
      const copied = await copyGraph(from, to, root, { platforms: [amd64, arm64] });
      expect(copied).not.toHaveProperty('data');
      const index = parseIndex(await fetchBytes(to, copied));
      expect(index.manifests.map(({ digest }) => digest)).toEqual([
        amd.descriptor.digest,
        arm.descriptor.digest,
        imageOf('attestation of amd').descriptor.digest,
      ]);
    });

    it('copies all without a filter', async () => {
      const [from, to] = [new Spy('from'), new Spy('to')];
      const { root } = await twoPlatforms(from);
      expect(await copyGraph(from, to, root)).toEqual(root);
    });

    it('fails where there is none', async () => {
      const from = new Spy('from');
      const { root } = await twoPlatforms(from);
      const copy = copyGraph(from, new Spy('to'), root, { platforms: [{ os: 'linux', architecture: 'riscv64' }] });
      await expect(copy).rejects.toMatchObject({ code: 'NO_MATCHING_PLATFORM' });
    });
  });

  it('copies another root where mapRoot says so', async () => {
    const [from, to] = [new Spy('from'), new Spy('to')];
    const { root, amd } = await twoPlatforms(from);
    expect(await copyGraph(from, to, root, { mapRoot: async () => amd.descriptor })).toEqual(amd.descriptor);
  });

  it('refuses indexes nested four deep', async () => {
    const from = new Spy('from');
    let root = (await pushImage(from, 'deep')).descriptor;
    for (let depth = 0; depth < 3; depth += 1) root = await pushIndex(from, [root]);
    await copyGraph(from, new Spy('to'), root);
    root = await pushIndex(from, [root]);
    await expect(copyGraph(from, new Spy('to'), root)).rejects.toMatchObject({ code: 'INVALID_MANIFEST' });
  });

  describe('of referrers', () => {
    it('leaves them unless asked, also the subject', async () => {
      const [from, to] = [new Spy('from'), new Spy('to')];
      const image = await pushImage(from, 'subject');
      const signature = await pushArtifact(from, image.descriptor, 'application/vnd.test.signature');
      await copyGraph(from, to, image.descriptor);
      expect(await to.exists(signature)).toBe(false);
      const other = new Spy('other');
      await copyGraph(from, other, signature);
      expect(await other.exists(image.descriptor)).toBe(false);
    });

    it('takes them, and theirs, if asked', async () => {
      const [from, to] = [new Spy('from'), new Spy('to')];
      const image = await pushImage(from, 'subject');
      const signature = await pushArtifact(from, image.descriptor, 'application/vnd.test.signature');
      const countersignature = await pushArtifact(from, signature, 'application/vnd.test.signature');
      await copyGraph(from, to, image.descriptor, { referrers: true });
      expect((await to.referrers(image.descriptor.digest)).map(({ digest }) => digest)).toEqual([signature.digest]);
      expect(await to.exists(countersignature)).toBe(true);
    });

    it('ends where a place says that they go round in a circle', async () => {
      class Liar extends Spy {
        override async referrers(): Promise<readonly Descriptor[]> {
          return [imageOf('one').descriptor, imageOf('two').descriptor];
        }
      }
      const from = new Liar('from');
      const one = await pushImage(from, 'one');
      await pushImage(from, 'two');
      await copyGraph(from, new Spy('to'), one.descriptor, { referrers: true });
      expect(from.fetched).toContain(imageOf('two').descriptor.digest);
    });

    it('refuses ten thousand', async () => {
      class Flood extends Spy {
        override async referrers(): Promise<readonly Descriptor[]> {
          return Array.from({ length: 10_000 }, (_, at) => imageOf(`${at}`).descriptor);
        }
      }
      const from = new Flood('from');
      const { descriptor } = await pushImage(from, 'subject');
      const copy = copyGraph(from, new Spy('to'), descriptor, { referrers: true });
      await expect(copy).rejects.toMatchObject({ code: 'TOO_LARGE' });
    });
  });

  describe('names the side that failed', () => {
    const boom = (): never => {
      throw Object.assign(new Error('boom'), { code: 'BOOM', hint: 'try again' });
    };
    const breakingStream = (): Readable =>
      Readable.from(
        (function* () {
          yield Buffer.from('layer');
          boom();
        })(),
        { objectMode: false },
      );
    const isLayer = ({ mediaType }: Descriptor): boolean => mediaType === mediaTypes.ociLayer;

    class BadSource extends MemoryTarget {
      readonly #make: () => Readable;
      constructor(make: () => Readable) {
        super('bad');
        this.#make = make;
      }
      override async fetch(descriptor: Descriptor): Promise<Readable> {
        return isLayer(descriptor) ? this.#make() : super.fetch(descriptor);
      }
    }
    const dying = (): Readable => {
      const stream = new Readable({ read: () => undefined });
      stream.push('layer');
      setImmediate(() => stream.destroy());
      return stream;
    };
    const wrong = (): Readable => Readable.from([Buffer.from('x'.repeat(10))], { objectMode: false });

    it.each<[string, () => Readable, object]>([
      ['its fetch fails', boom, { message: 'boom' }],
      ['its stream breaks', breakingStream, { message: 'boom' }],
      ['its stream dies without a word', dying, {}],
      ['it gives other bytes', wrong, { code: 'DIGEST_MISMATCH' }],
    ])('the source where %s', async (_, make, cause) => {
      const from = new BadSource(make);
      const { descriptor, layer } = await pushImage(from, 'a');
      const to = new MemoryTarget('to');
      await expect(copyGraph(from, to, descriptor)).rejects.toMatchObject({
        code: 'COPY_FAILED',
        side: 'source',
        place: 'bad',
        descriptor: layer,
        cause: expect.objectContaining(cause),
      });
      expect(await to.exists(descriptor)).toBe(false);
    });

    it.each<[string, (content: Readable) => Promise<void>]>([
      ['it refuses', async () => boom()],
      ['it kills the stream', (content) => Promise.reject(content.destroy(new Error('boom')).errored)],
    ])('the destination where %s', async (_, push) => {
      class BadDestination extends MemoryTarget {
        override async push(descriptor: Descriptor, content: Readable | Uint8Array): Promise<void> {
          if (!isLayer(descriptor)) return super.push(descriptor, content);
          if (content instanceof Readable) await push(content);
        }
      }
      const from = new Spy('from');
      const { descriptor } = await pushImage(from, 'a');
      await expect(copyGraph(from, new BadDestination('bad'), descriptor)).rejects.toMatchObject({
        code: 'COPY_FAILED',
        side: 'destination',
        place: 'bad',
        cause: { message: 'boom' },
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(from.running).toBe(0);
    });

    it('and passes on what helps', async () => {
      const from = new BadSource(boom);
      const { descriptor } = await pushImage(from, 'a');
      await expect(copyGraph(from, new MemoryTarget(), descriptor)).rejects.toMatchObject({ hint: 'try again' });
    });

    it('the source, where a manifest is not what the digest says', async () => {
      class Liar extends MemoryTarget {
        override async fetch(): Promise<Readable> {
          return Readable.from([Buffer.from('{}')], { objectMode: false });
        }
      }
      const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf('absent'), size: 2 };
      await expect(copyGraph(new Liar('liar'), new MemoryTarget(), descriptor)).rejects.toMatchObject({
        side: 'source',
        cause: { code: 'DIGEST_MISMATCH' },
      });
    });

    it('refuses a manifest that is said to be huge before reading it', async () => {
      const from = new Spy('from');
      const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf('x'), size: 2 ** 40 };
      await expect(copyGraph(from, new MemoryTarget(), descriptor)).rejects.toMatchObject({
        cause: { code: 'TOO_LARGE' },
      });
      expect(from.fetched).toEqual([]);
    });
  });

  describe('is aborted', () => {
    class Stalled extends MemoryTarget {
      readonly streams: Readable[] = [];
      override async fetch(descriptor: Descriptor, options?: FetchOptions): Promise<Readable> {
        if (descriptor.mediaType !== mediaTypes.ociLayer) return super.fetch(descriptor, options);
        const stream = new Readable({ read: () => undefined });
        this.streams.push(stream);
        return stream;
      }
    }

    it('in a stream that stalls, which is closed then', async () => {
      const from = new Stalled('from');
      const to = new MemoryTarget('to');
      const image = await pushImage(from, 'a');
      const controller = new AbortController();
      const copy = copyGraph(from, to, image.descriptor, { signal: controller.signal });
      const refused = expect(copy).rejects.toMatchObject({ name: 'AbortError' });
      setTimeout(() => controller.abort(), 10);
      await refused;
      expect(from.streams.map(({ destroyed }) => destroyed)).toEqual([true]);
      expect(await to.exists(image.descriptor)).toBe(false);
    });

    it('when another transfer fails', async () => {
      class Half extends Stalled {
        override async fetch(descriptor: Descriptor, options?: FetchOptions): Promise<Readable> {
          if (descriptor.mediaType === mediaTypes.ociConfig) throw new Error('no config');
          return super.fetch(descriptor, options);
        }
      }
      const from = new Half('from');
      const { descriptor } = await pushImage(from, 'a');
      await expect(copyGraph(from, new MemoryTarget(), descriptor)).rejects.toMatchObject({
        side: 'source',
        cause: { message: 'no config' },
      });
      expect(from.streams.every(({ destroyed }) => destroyed)).toBe(true);
    });

    it('before it starts', async () => {
      const from = new Spy('from');
      const { descriptor } = await pushImage(from, 'a');
      const copy = copyGraph(from, new Spy('to'), descriptor, { signal: AbortSignal.abort() });
      await expect(copy).rejects.toMatchObject({ name: 'AbortError' });
      expect(from.fetched).toEqual([]);
    });
  });
});

describe('copyReference', () => {
  it('gives the copy its names last', async () => {
    const [from, to] = [new MemoryTarget('from'), new MemoryTarget('to')];
    const image = await pushImage(from, 'a');
    await from.tag(image.descriptor, 'v1');
    expect(await copyReference(from, 'v1', to, { names: ['v1', 'latest'] })).toEqual(image.descriptor);
    expect(await to.resolve('latest')).toEqual(image.descriptor);
  });

  it('fails where the name is not there', async () => {
    const copy = copyReference(new MemoryTarget(), 'v1', new MemoryTarget(), { names: ['v1'] });
    await expect(copy).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
