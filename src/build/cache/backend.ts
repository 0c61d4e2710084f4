import { pipeline, Readable } from 'node:stream';
import {
  type CallOptions,
  type Descriptor,
  descriptorToJson,
  type Digest,
  type FetchOptions,
  isDigest,
  isDocumentType,
  maxDocumentSize,
  OciError,
  parseDescriptor,
  parseManifestOrIndex,
  type Target,
  toJsonBytes,
  verifiedChunks,
  verifyBytes,
  verifyStream,
} from '../../oci/index.ts';

/** A place that keeps bytes by name and knows nothing of images: a bucket, GitHub's cache service. */
export interface CacheBackend {
  readonly label: string;
  /** undefined: there is nothing of that name. */
  read(name: string, options: FetchOptions): Promise<Readable | undefined>;
  has(name: string, options: CallOptions): Promise<boolean>;
  /** Writes what a name stands for, for ever; what is there stays. `content` is read once and fails where it is not what was described. */
  writeIfAbsent(name: string, content: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<void>;
  /** The small document that a name stands for now. */
  readLatest(name: string, options: CallOptions): Promise<Uint8Array | undefined>;
  writeLatest(name: string, bytes: Uint8Array, options: CallOptions): Promise<void>;
  /** Whether another program keeps a cache under that name here. */
  hasForeign(name: string, options: CallOptions): Promise<boolean>;
}

export interface WriteOptions extends CallOptions {
  /** Bytes. */
  readonly size: number;
}

/** How often a download is begun in all. */
const attempts = 4;

/** Largest document that a name stands for: a descriptor. */
const maxLatest = 64 * 1024;

/** A backend as a Target, so that `copyGraph` serves it too. */
export class BackendTarget implements Target {
  readonly label: string;
  readonly #backend: CacheBackend;
  readonly #foreign: () => Error;

  /** `foreign` makes the error about another program's cache. */
  constructor(backend: CacheBackend, foreign: () => Error) {
    this.label = backend.label;
    this.#backend = backend;
    this.#foreign = foreign;
  }

  async fetch(descriptor: Descriptor, options: FetchOptions = {}): Promise<Readable> {
    options.signal?.throwIfAborted();
    const content = await this.#backend.read(descriptor.digest, options);
    if (content === undefined) throw this.#missing(descriptor.digest);
    const whole = Readable.from(this.#resuming(content, descriptor, options), { objectMode: false });
    if ((options.offset ?? 0) > 0) return whole;
    return pipeline(whole, verifyStream(descriptor), () => undefined);
  }

  /** The bytes of a stream; where it breaks, those that follow are asked for. */
  async *#resuming(first: Readable, { digest }: Descriptor, options: FetchOptions): AsyncGenerator<Buffer> {
    let content: Readable | undefined = first;
    let at = options.offset ?? 0;
    for (let attempt = 1; content !== undefined; attempt++) {
      try {
        for await (const chunk of content as AsyncIterable<Buffer>) {
          at += chunk.byteLength;
          yield chunk;
        }
        return;
      } catch (error) {
        options.signal?.throwIfAborted();
        if (attempt >= attempts) throw error;
      } finally {
        content.destroy();
      }
      content = await this.#backend.read(digest, { ...options, offset: at });
    }
    throw this.#missing(digest);
  }

  exists(descriptor: Descriptor, options: CallOptions = {}): Promise<boolean> {
    return this.#backend.has(descriptor.digest, options);
  }

  async push(descriptor: Descriptor, content: Readable | Uint8Array, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    try {
      await this.#backend.writeIfAbsent(descriptor.digest, verifiedChunks(content, descriptor, options), {
        ...options,
        size: descriptor.size,
      });
    } finally {
      if (content instanceof Readable) content.destroy();
    }
  }

  async resolve(reference: string, options: CallOptions = {}): Promise<Descriptor> {
    if (isDigest(reference)) return this.#describe(reference, options);
    const bytes = await this.#backend.readLatest(reference, options);
    if (bytes !== undefined) return readPointer(bytes, this.label);
    if (await this.#backend.hasForeign(reference, options)) throw this.#foreign();
    throw this.#missing(reference);
  }

  async tag(descriptor: Descriptor, reference: string, options: CallOptions = {}): Promise<void> {
    const { mediaType, digest, size } = descriptor;
    if (!(await this.exists(descriptor, options))) throw this.#missing(digest);
    const bytes = toJsonBytes(descriptorToJson({ mediaType, digest, size }));
    const before = await this.#backend.readLatest(reference, options);
    if (before !== undefined && Buffer.compare(before, bytes) === 0) return;
    await this.#backend.writeLatest(reference, bytes, options);
  }

  referrers(): Promise<readonly Descriptor[]> {
    return Promise.resolve([]);
  }

  /** A document that is named by its digest says itself what it is. */
  async #describe(digest: Digest, options: CallOptions): Promise<Descriptor> {
    const content = await this.#backend.read(digest, options);
    if (content === undefined) throw this.#missing(digest);
    const bytes = await readSmall(content, this.label, maxDocumentSize);
    const descriptor = { mediaType: parseManifestOrIndex(bytes).mediaType, digest, size: bytes.byteLength };
    verifyBytes(descriptor, bytes);
    return descriptor;
  }

  #missing(what: Digest | string): OciError {
    return new OciError('NOT_FOUND', `${what} is not in ${this.label}`);
  }
}

function readPointer(bytes: Uint8Array, label: string): Descriptor {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new OciError('INVALID_DESCRIPTOR', `what ${label} keeps under the cache's name is not JSON`, { cause });
  }
  const descriptor = parseDescriptor(value, 'the name of the cache');
  if (isDocumentType(descriptor.mediaType)) return descriptor;
  throw new OciError('INVALID_DESCRIPTOR', `what ${label} keeps under the cache's name leads to no manifest`);
}

/** The bytes of a stream in portions of `size`, the last one shorter; at least one, which may be empty. */
export async function* portions(content: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  let chunks: Uint8Array[] = [];
  let length = 0;
  let yielded = false;
  for await (const chunk of content) {
    chunks.push(chunk);
    length += chunk.byteLength;
    while (length >= size) {
      const whole = Buffer.concat(chunks);
      yielded = true;
      yield whole.subarray(0, size);
      chunks = [whole.subarray(size)];
      length -= size;
    }
  }
  if (length > 0 || !yielded) yield Buffer.concat(chunks);
}

/** All of a small document. @throws OciError TOO_LARGE */
export async function readSmall(content: Readable, label: string, limit: number = maxLatest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > limit) {
      content.destroy();
      throw new OciError('TOO_LARGE', `a document in ${label} has more than ${limit} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
