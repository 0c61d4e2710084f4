import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type CallOptions,
  describe,
  type Descriptor,
  type Digest,
  type FetchOptions,
  OciError,
  type Target,
  verifiedChunks,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { mountOrigins } from '../images/mount-origins.ts';
import type { OpenRegistryRepository } from '../images/image-place.ts';

/** A place that content of an edited image comes from. */
export interface BenchSource {
  readonly target: Target;
  /** Of a source that is a store: it knows which repositories have its layers. */
  readonly store?: Store | undefined;
}

/**
 * Where an image is edited: new content in memory and temporary files, all other where it was. What it leads to can be copied
 * from it as from any Target, and layers that nobody changed are never read.
 */
export class Workbench implements Target, AsyncDisposable {
  readonly label: string;
  readonly #source: BenchSource | undefined;
  readonly #lent = new Map<Digest, BenchSource>();
  /** Bytes, or the path of a file. */
  readonly #made = new Map<Digest, Uint8Array | string>();
  readonly #read = new Set<Digest>();
  #folder: Promise<string> | undefined;
  #files = 0;

  /** @param source where content is that was neither made nor lent; none for an image made from nothing */
  constructor(source?: BenchSource) {
    this.#source = source;
    this.label = source?.target.label ?? 'a new image';
  }

  /** Content that is somewhere else than the edited image, such as the layers of a new base. */
  lend(contents: readonly Descriptor[], from: BenchSource): void {
    for (const { digest } of contents) if (!this.#made.has(digest)) this.#lent.set(digest, from);
  }

  /** Puts a document on the bench. */
  add(mediaType: string, content: Uint8Array): Descriptor {
    const descriptor = describe(mediaType, content);
    this.#made.set(descriptor.digest, content);
    return descriptor;
  }

  /** Takes a file for the content of `descriptor`; it must stay until the bench is disposed of. */
  addFile(descriptor: Descriptor, path: string): void {
    this.#made.set(descriptor.digest, path);
  }

  /** A path for a new file, which goes with the bench. */
  async newFile(): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), 'slipway-edit-'));
    this.#files += 1;
    return join(await this.#folder, `${this.#files}`);
  }

  /** Keeps what a stream gives in a file of the bench. */
  async spool(source: Readable, { signal }: CallOptions = {}): Promise<string> {
    const path = await this.newFile();
    await pipeline(source, createWriteStream(path, { mode: 0o600 }), signal === undefined ? {} : { signal });
    return path;
  }

  /** A file with the content of a blob, verified. */
  async localFile(blob: Descriptor, { signal }: CallOptions = {}): Promise<string> {
    const made = this.#made.get(blob.digest);
    if (typeof made === 'string') return made;
    const content = await this.fetch(blob, { signal });
    const path = await this.spool(Readable.from(verifiedChunks(content, blob, { signal })), { signal });
    this.#made.set(blob.digest, path);
    this.#read.add(blob.digest);
    return path;
  }

  /** Repositories that a destination may take a blob from without its bytes moving; none for what is new. */
  mountFrom(destination: Target, open: OpenRegistryRepository): (blob: Descriptor) => Promise<readonly Target[]> {
    return async (blob) => {
      const from = this.#lent.get(blob.digest) ?? (this.#isNew(blob) ? undefined : this.#source);
      if (from === undefined) return [];
      return from.store === undefined ? [from.target] : mountOrigins(from.store, destination, open)(blob);
    };
  }

  async fetch(descriptor: Descriptor, options: FetchOptions = {}): Promise<Readable> {
    const made = this.#made.get(descriptor.digest);
    if (made === undefined) return this.#originOf(descriptor).target.fetch(descriptor, options);
    const { offset = 0, signal } = options;
    if (typeof made === 'string') return createReadStream(made, { start: offset, ...(signal && { signal }) });
    return Readable.from([Buffer.from(made.subarray(offset))], { objectMode: false });
  }

  async exists(descriptor: Descriptor, options?: CallOptions): Promise<boolean> {
    if (this.#made.has(descriptor.digest)) return true;
    const origin = this.#lent.get(descriptor.digest) ?? this.#source;
    return origin?.target.exists(descriptor, options) ?? false;
  }

  async push(descriptor: Descriptor, content: Readable | Uint8Array, options: CallOptions = {}): Promise<void> {
    const stream = content instanceof Readable ? content : Readable.from([content], { objectMode: false });
    this.addFile(descriptor, await this.spool(Readable.from(verifiedChunks(stream, descriptor, options)), options));
  }

  resolve(reference: string): Promise<Descriptor> {
    return Promise.reject(new OciError('NOT_FOUND', `${reference}: nothing has a name while it is edited`));
  }

  tag(_: Descriptor, reference: string): Promise<void> {
    return this.resolve(reference).then(() => undefined);
  }

  async referrers(): Promise<readonly Descriptor[]> {
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
  }

  /** A file of a blob that was only read is no new content: that blob may still be mounted. */
  #isNew({ digest }: Descriptor): boolean {
    return this.#made.has(digest) && !this.#read.has(digest);
  }

  #originOf(descriptor: Descriptor): BenchSource {
    const origin = this.#lent.get(descriptor.digest) ?? this.#source;
    if (origin !== undefined) return origin;
    throw new OciError('NOT_FOUND', `${descriptor.digest} is not among the content of ${this.label}`);
  }
}
