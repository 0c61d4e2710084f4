import { createReadStream, existsSync, renameSync } from 'node:fs';
import fs from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { compressInWorker } from '../layer/index.ts';
import {
  type CallOptions,
  type Descriptor,
  type Digest,
  type FetchOptions,
  OciError,
  verifyBytes,
  verifyStream,
} from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import { type BlobRow, type Blobs, descriptorOf } from './blobs.ts';
import type { Content } from './contract.ts';
import { asStoreError, errnoOf, StoreError } from './error.ts';
import { trashNames } from './files.ts';
import { discardContent, ingest, publish } from './ingest.ts';
import type { Partials } from './partials.ts';
import { appendVerified, type ArrivingBlob, receiveBlob } from './receive.ts';
import { skipBytes } from './skip-bytes.ts';
import { findDerivable, snapshotId } from './snapshot-rows.ts';

const largestDocument = 8 * 1024 * 1024;

/** Blobs by digest. */
export class StoreContent implements Content {
  readonly #base: StoreBase;
  readonly #blobs: Blobs;
  readonly #partials: Partials;

  constructor(base: StoreBase, blobs: Blobs, partials: Partials) {
    this.#base = base;
    this.#blobs = blobs;
    this.#partials = partials;
  }

  state(digest: Digest): 'present' | 'derivable' | 'remote' | undefined {
    if (this.#blobs.present(digest) !== undefined) return 'present';
    if (findDerivable(this.#base, digest) !== undefined) return 'derivable';
    return this.#isOffered(digest) ? 'remote' : undefined;
  }

  offer(blobs: readonly Descriptor[], source: string): void {
    this.#base.db.write(() => {
      for (const blob of blobs) this.#blobs.putRemote(blob, source);
    });
  }

  sources(digest: Digest): readonly string[] {
    return this.#blobs.sources(digest);
  }

  /** A manifest is there only with all that it names, so that a copy brings again what was lost. */
  async exists({ digest }: Pick<Descriptor, 'digest'>): Promise<boolean> {
    if (this.state(digest) === undefined) return false;
    const children = this.#base.db.all<{ child: Digest }>('SELECT child FROM edges WHERE parent = ?', digest);
    for (const { child } of children) if (!(await this.exists({ digest: child }))) return false;
    return true;
  }

  async read(digest: Digest): Promise<Buffer> {
    let row = this.#blobs.present(digest);
    if (row === undefined) row = await this.#bring(digest);
    refuseLargeDocument(row);
    const bytes = await fs.readFile(this.#base.paths.blob(digest));
    this.#checked(digest, () => verifyBytes(descriptorOf(row), bytes));
    return bytes;
  }

  async fetch(descriptor: Descriptor, options: FetchOptions = {}): Promise<Readable> {
    options.signal?.throwIfAborted();
    const { digest } = descriptor;
    switch (this.state(digest)) {
      case 'present':
        return this.#open(descriptor, options);
      case 'derivable':
        return this.#derive(descriptor, options);
      case 'remote':
        await this.bring(descriptor, options);
        return this.#open(descriptor, options);
      case undefined:
        throw new OciError('NOT_FOUND', `${digest} is not in the store`);
    }
  }

  async push(descriptor: Descriptor, content: Readable | Uint8Array, options?: CallOptions): Promise<void> {
    await this.pushAnd(descriptor, content, { ...options, record: () => undefined });
  }

  /** As `push`; `record` runs in the transaction that makes the blob visible. */
  async pushAnd(
    descriptor: Descriptor,
    content: Readable | Uint8Array,
    options: CallOptions & { readonly record: () => void },
  ): Promise<void> {
    options.signal?.throwIfAborted();
    if (await this.adopt(descriptor, options.record)) return discardContent(content);
    const file = await ingest(this.#base, descriptor, content, options);
    await publish(this.#base, descriptor, file, this.#recording(descriptor, options.record));
  }

  /** Stores a blob that arrives; `record` as in `pushAnd`. */
  async takeArriving(
    blob: ArrivingBlob,
    options: CallOptions & { readonly onProgress?: ((bytes: number) => void) | undefined; readonly record: () => void },
  ): Promise<void> {
    await appendVerified(blob, options);
    await publish(this.#base, blob.descriptor, blob.path, this.#recording(blob.descriptor, options.record));
  }

  #recording(descriptor: Descriptor, record: () => void): () => void {
    return () => {
      this.#blobs.put(descriptor);
      record();
    };
  }

  /** Fetches a blob that is elsewhere, so that it is here. Wrong bytes may be a cache's doing: they are asked for once more. */
  async bring(descriptor: Descriptor, options: CallOptions = {}): Promise<void> {
    if (this.#blobs.present(descriptor.digest) !== undefined) return;
    try {
      await this.#bringOnce(descriptor, options);
    } catch (error) {
      if (errnoOf(error) !== 'DIGEST_MISMATCH' && errnoOf(error) !== 'SIZE_MISMATCH') throw error;
      await this.#bringOnce(descriptor, options);
    }
  }

  async #bringOnce(descriptor: Descriptor, options: CallOptions): Promise<void> {
    const nothing = { ...options, record: () => undefined };
    await receiveBlob(
      { base: this.#base, partials: this.#partials },
      {
        descriptor,
        signal: options.signal,
        source: (offset) => this.openRemote(descriptor, { ...options, offset }),
        isHere: async () => this.adopt(descriptor, nothing.record),
        take: (blob) => this.takeArriving(blob, nothing),
      },
    );
  }

  /** The stream of a blob from where it is offered; not verified. @throws StoreError LAYER_UNAVAILABLE */
  async openRemote(descriptor: Descriptor, options: FetchOptions): Promise<Readable> {
    const { fetchRemote } = this.#base.options;
    const sources = this.#blobs.sources(descriptor.digest);
    if (fetchRemote === undefined || sources.length === 0) {
      throw new StoreError('LAYER_UNAVAILABLE', `${descriptor.digest} is not here and cannot be fetched`, {
        hint: sources[0] === undefined ? undefined : `it came from ${sources[0]}: pull the image again`,
      });
    }
    return fetchRemote(descriptor, sources, { ...options, unverified: true });
  }

  async #bring(digest: Digest): Promise<BlobRow> {
    const row = this.#blobs.get(digest);
    if (row === undefined) throw new OciError('NOT_FOUND', `${digest} is not in the store`);
    await this.bring(descriptorOf(row));
    return row;
  }

  #isOffered(digest: Digest): boolean {
    return this.#blobs.get(digest) !== undefined && this.#blobs.sources(digest).length > 0;
  }

  #open(descriptor: Descriptor, options: FetchOptions): Readable {
    const start = options.offset ?? 0;
    const { signal } = options;
    const file = createReadStream(this.#base.paths.blob(descriptor.digest), {
      start,
      signal,
      highWaterMark: 256 * 1024,
    });
    if (start > 0) return file;
    const verified = verifyStream(descriptor);
    // First of the listeners, so that whoever hears of it finds the bad file gone.
    verified.once('error', (error) => {
      if (errnoOf(error) === 'DIGEST_MISMATCH') this.quarantine(descriptor.digest);
    });
    return pipeline(file, verified, () => undefined);
  }

  #derive(descriptor: Descriptor, options: FetchOptions): Readable {
    const row = findDerivable(this.#base, descriptor.digest);
    if (row === undefined) throw new OciError('NOT_FOUND', `${descriptor.digest} is not in the store`);
    const { tree, headerList } = this.#base.paths.snapshot(snapshotId(row.number));
    const { offset = 0, signal } = options;
    const { stream } = compressInWorker({ headerList, folder: tree }, { compression: 'none', signal });
    return pipeline(stream, offset > 0 ? skipBytes(offset) : verifyStream(descriptor), () => undefined);
  }

  /** Takes a blob that is there already: with its row, or the file alone, which a killed process left behind. */
  async adopt(descriptor: Descriptor, alsoRecord: () => void): Promise<boolean> {
    const { paths, db, leases } = this.#base;
    const { digest } = descriptor;
    const place = paths.blob(digest);
    const known = this.#blobs.present(digest);
    const record = this.#recording(descriptor, alsoRecord);
    if (known === undefined && !(existsSync(place) && (await this.#isIntact(descriptor)))) return false;
    return await db.writeSoon(() => {
      if (!existsSync(place)) return false;
      if (known?.size === descriptor.size && this.#blobs.present(digest) !== undefined) leases.add('blob', digest);
      record();
      return true;
    });
  }

  async #isIntact(descriptor: Descriptor): Promise<boolean> {
    try {
      const stream = createReadStream(this.#base.paths.blob(descriptor.digest)).pipe(verifyStream(descriptor));
      for await (const _ of stream) continue;
      return true;
    } catch {
      return false;
    }
  }

  #checked(digest: Digest, check: () => void): void {
    try {
      check();
    } catch (error) {
      if (errnoOf(error) === 'DIGEST_MISMATCH') this.quarantine(digest);
      throw asStoreError(error, `cannot read ${digest}`);
    }
  }

  /** A file whose bytes rotted is taken out of its place, so that the next pull or build brings good ones. */
  quarantine(digest: Digest): void {
    const { db, paths, options } = this.#base;
    if (options.readOnly === true) return;
    db.write(() => {
      const place = paths.blob(digest);
      if (existsSync(place)) renameSync(place, trashNames(paths)());
    });
  }
}

/** @throws StoreError TOO_LARGE for what is no manifest or config */
export function refuseLargeDocument({ digest, size }: { readonly digest: Digest; readonly size: number }): void {
  if (size <= largestDocument) return;
  throw new StoreError('TOO_LARGE', `${digest} has ${size} bytes; a document has ${largestDocument} at most`);
}
