import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type CompressedLayer, compressToFile } from '../../../layer/index.ts';
import {
  type CallOptions,
  type Compression,
  describe,
  type Descriptor,
  type Digest,
  type FetchOptions,
  hexOf,
  OciError,
  type ResolveOptions,
  type Target,
  verifiedChunks,
} from '../../../oci/index.ts';

/** How a layer is compressed. */
export interface CompressionWanted {
  readonly compression: Compression;
  readonly level?: number | undefined;
}

/** A place seen through what was made of its content: documents in memory, layers in files. */
export class MadeContent implements Target {
  readonly label: string;
  readonly #from: Target;
  readonly #folder: string;
  readonly #documents = new Map<Digest, Uint8Array>();
  readonly #files = new Map<Digest, string>();

  constructor(from: Target, folder: string) {
    this.label = from.label;
    this.#from = from;
    this.#folder = folder;
  }

  has({ digest }: Descriptor): boolean {
    return this.#documents.has(digest) || this.#files.has(digest);
  }

  /** Keeps a document that was made. */
  addDocument(mediaType: string, content: Uint8Array): Descriptor {
    const descriptor = describe(mediaType, content);
    this.#documents.set(descriptor.digest, content);
    return descriptor;
  }

  /** Compresses a layer anew; its content is verified on the way in. */
  async compress(
    layer: Descriptor,
    { compression, level }: CompressionWanted,
    { signal }: CallOptions,
  ): Promise<CompressedLayer> {
    const original = join(this.#folder, `${randomUUID()}.original`);
    const path = join(this.#folder, `${randomUUID()}.part`);
    await this.#bring(layer, original, { signal });
    await using file = await open(path, 'wx+', 0o600);
    const made = await compressToFile({ blob: original }, file.fd, {
      compression,
      signal,
      ...(level === undefined ? {} : { level }),
    });
    await rm(original);
    const kept = join(this.#folder, hexOf(made.digest));
    await rename(path, kept);
    this.#files.set(made.digest, kept);
    return made;
  }

  async #bring(layer: Descriptor, path: string, options: CallOptions): Promise<void> {
    await using file = await open(path, 'wx', 0o600);
    const content = layer.data ?? (await this.#from.fetch(layer, options));
    for await (const chunk of verifiedChunks(content, layer, options)) await writeAll(file, chunk);
  }

  async fetch(descriptor: Descriptor, options: FetchOptions = {}): Promise<Readable> {
    const { offset = 0, signal } = options;
    const document = this.#documents.get(descriptor.digest);
    if (document !== undefined) return Readable.from([document.subarray(offset)], { objectMode: false });
    const file = this.#files.get(descriptor.digest);
    if (file === undefined) return this.#from.fetch(descriptor, options);
    return createReadStream(file, { start: offset, ...(signal === undefined ? {} : { signal }) });
  }

  async exists(descriptor: Descriptor, options?: CallOptions): Promise<boolean> {
    return this.has(descriptor) || this.#from.exists(descriptor, options);
  }

  resolve(reference: string, options?: ResolveOptions): Promise<Descriptor> {
    return this.#from.resolve(reference, options);
  }

  referrers(digest: Digest, artifactType?: string, options?: CallOptions): Promise<readonly Descriptor[]> {
    return this.#from.referrers(digest, artifactType, options);
  }

  push(): Promise<never> {
    return Promise.reject(this.#readOnly());
  }

  tag(): Promise<never> {
    return Promise.reject(this.#readOnly());
  }

  #readOnly(): OciError {
    return new OciError('NOT_FOUND', `${this.label} is open for reading`);
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength; )
    done += (await file.write(chunk, done, chunk.byteLength - done, null)).bytesWritten;
}
