import { Readable } from 'node:stream';
import {
  type CallOptions,
  collect,
  type Descriptor,
  type Digest,
  type FetchOptions,
  isIndexType,
  isManifestType,
  OciError,
  parseManifestOrIndex,
  type Referrer,
  referrerOf,
  type Target,
  verifyBytes,
} from '../oci/index.ts';

interface Stored {
  readonly descriptor: Descriptor;
  readonly content: Uint8Array;
  readonly referrer: Referrer | undefined;
}

/** A Target in memory: for tests, and for small graphs such as attestations on their way out. */
export class MemoryTarget implements Target {
  readonly label: string;
  readonly #contents = new Map<Digest, Stored>();
  readonly #tags = new Map<string, Digest>();

  constructor(label = 'memory') {
    this.label = label;
  }

  async fetch(descriptor: Descriptor, options: FetchOptions = {}): Promise<Readable> {
    options.signal?.throwIfAborted();
    const { content } = this.#stored(descriptor.digest);
    if (content.byteLength !== descriptor.size) verifyBytes(descriptor, content);
    return streamOf(content.subarray(options.offset ?? 0));
  }

  async exists(descriptor: Descriptor): Promise<boolean> {
    return this.#contents.has(descriptor.digest);
  }

  async push(descriptor: Descriptor, content: Readable | Uint8Array, options: CallOptions = {}): Promise<void> {
    // A copy, so that a caller who reuses its buffer cannot change what was verified.
    const bytes = await collect(content, descriptor, options);
    options.signal?.throwIfAborted();
    if (this.#contents.has(descriptor.digest)) return;
    const { mediaType, digest, size } = descriptor;
    const isDocument = isManifestType(mediaType) || isIndexType(mediaType);
    const referrer = isDocument ? referrerOf(descriptor, parseManifestOrIndex(bytes, mediaType)) : undefined;
    this.#contents.set(digest, { descriptor: { mediaType, digest, size }, content: bytes, referrer });
  }

  async resolve(reference: string): Promise<Descriptor> {
    const digest = this.#tags.get(reference) ?? (reference.replace(/^@/, '') as Digest);
    return this.#stored(digest, reference).descriptor;
  }

  async tag(descriptor: Descriptor, reference: string): Promise<void> {
    this.#stored(descriptor.digest);
    this.#tags.set(reference, descriptor.digest);
  }

  async referrers(digest: Digest, artifactType?: string): Promise<readonly Descriptor[]> {
    return [...this.#contents.values()]
      .map(({ referrer }) => referrer)
      .filter((referrer) => referrer?.subject === digest)
      .flatMap((referrer) => referrer?.entry ?? [])
      .filter((entry) => artifactType === undefined || entry.artifactType === artifactType);
  }

  #stored(digest: Digest, name: string = digest): Stored {
    const stored = this.#contents.get(digest);
    if (stored === undefined) throw new OciError('NOT_FOUND', `${name} is not in ${this.label}`);
    return stored;
  }
}

function* slices(content: Uint8Array): Generator<Buffer> {
  for (let at = 0; at < content.byteLength; at += 64 * 1024) yield Buffer.from(content.subarray(at, at + 64 * 1024));
}

function streamOf(content: Uint8Array): Readable {
  return Readable.from(slices(content), { objectMode: false });
}
