import fs from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type ApplyInWorkerOptions, applyInWorker, type ChunkSource, compressInWorker } from '../layer/index.ts';
import { type CallOptions, chainIdOf, type Descriptor, type Digest, type ImageConfig } from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import { type Blobs, descriptorOf, type LayerBlobRow } from './blobs.ts';
import type { StoreContent } from './content.ts';
import type { UnpackProgress } from './contract.ts';
import { asStoreError, errnoOf, StoreError } from './error.ts';
import { discardContent, ingestPath, publish } from './ingest.ts';
import type { Partials } from './partials.ts';
import { type ArrivingBlob, receiveBlob } from './receive.ts';
import { tolerant } from './reap.ts';
import { findDerivable, snapshotId } from './snapshot-rows.ts';
import type { StoreSnapshots } from './snapshots.ts';

/** Where a layer lies in the stack of the image that it is expected for. */
export interface ExpectedLayer {
  readonly diffId: Digest;
  readonly parent: Digest | undefined;
}

/** A layer that is being unpacked, and the signal of who does it. */
interface Underway {
  readonly work: Promise<void>;
  readonly signal: AbortSignal | undefined;
}

export interface UnpackParts {
  readonly blobs: Blobs;
  readonly content: StoreContent;
  readonly snapshots: StoreSnapshots;
  readonly partials: Partials;
}

type UnpackOptions = CallOptions & UnpackProgress;

type ApplyOptions = UnpackOptions &
  ExpectedLayer &
  Pick<ApplyInWorkerOptions, 'expect' | 'ingestFd' | 'ingested'> & {
    /** Hears how many more bytes of the blob were dealt with. */
    readonly onDealt?: ((bytes: number) => void) | undefined;
  };

/** Turns layers into snapshots: on their way in, or later from wherever they are. */
export class Unpacker {
  readonly #base: StoreBase;
  readonly #parts: UnpackParts;
  readonly #expected = new Map<Digest, ExpectedLayer>();
  readonly #running = new Map<Digest, Underway>();

  constructor(base: StoreBase, parts: UnpackParts) {
    this.#base = base;
    this.#parts = parts;
  }

  expect(config: ImageConfig, layers: readonly Descriptor[]): void {
    if (config.diffIds.length !== layers.length) return;
    let parent: Digest | undefined;
    layers.forEach((layer, at) => {
      const diffId = config.diffIds[at];
      if (diffId === undefined) return;
      this.#expected.set(layer.digest, { diffId, parent });
      parent = chainIdOf(parent, diffId);
    });
  }

  /** The layer that a blob is expected to hold, also where it is unpacked already. */
  diffIdOf(digest: Digest): Digest | undefined {
    return this.#expected.get(digest)?.diffId;
  }

  /** Where to apply a layer that is being pushed; undefined: nowhere yet, so that it is only stored. */
  expected(digest: Digest): ExpectedLayer | undefined {
    const layer = this.#expected.get(digest);
    if (layer === undefined || this.#base.privileges.kind === 'none') return undefined;
    const { snapshots } = this.#parts;
    if (snapshots.has(chainIdOf(layer.parent, layer.diffId))) return undefined;
    return layer.parent === undefined || snapshots.has(layer.parent) ? layer : undefined;
  }

  /** Stores and applies a layer in one pass. */
  async pushLayer(
    descriptor: Descriptor,
    content: Readable | Uint8Array,
    options: UnpackOptions & ExpectedLayer,
  ): Promise<void> {
    if (this.#parts.blobs.present(descriptor.digest) !== undefined) {
      discardContent(content);
      return this.#parts.content.push(descriptor, Buffer.alloc(0), options);
    }
    await this.#applyAndStore(descriptor, content, options);
  }

  /** Lowest first; each is applied over those before it. */
  async unpack(diffIds: readonly Digest[], options: UnpackOptions): Promise<void> {
    let parent: Digest | undefined;
    for (const diffId of diffIds) {
      options.signal?.throwIfAborted();
      const chainId = chainIdOf(parent, diffId);
      // Before the look: what is there then stays there, whatever other processes clear away.
      this.#base.leases.add('snapshot', chainId);
      if (!this.#parts.snapshots.has(chainId))
        await this.#once(chainId, options, () => this.#unpackLayer({ ...options, diffId, parent }));
      parent = chainId;
    }
  }

  /** Two builds of one process that want the same base share the work; where who does it gives up, the next one does it. */
  async #once(chainId: Digest, { signal }: CallOptions, work: () => Promise<void>): Promise<void> {
    for (;;) {
      const running = this.#running.get(chainId);
      if (running === undefined) break;
      await settled(running.work, signal);
      if (running.signal?.aborted !== true) return running.work;
      if (this.#parts.snapshots.has(chainId)) return;
    }
    const own = work().finally(() => this.#running.delete(chainId));
    this.#running.set(chainId, { work: own, signal });
    await own;
  }

  async #unpackLayer(options: UnpackOptions & ExpectedLayer): Promise<void> {
    let failure: unknown;
    for (const blob of this.#parts.blobs.ofLayer(options.diffId)) {
      try {
        return await this.#unpackBlob(blob, options);
      } catch (error) {
        // A blob that somebody only claimed to be this layer must not stand in the way of one that is.
        if (errnoOf(error) === 'DIFF_ID_MISMATCH')
          this.#base.db.write(() => this.#parts.blobs.dropLayer(options.diffId, blob.digest));
        else if (errnoOf(error) !== 'LAYER_UNAVAILABLE') throw error;
        failure ??= error;
      }
    }
    if (await this.#unpackDerived(options)) return;
    const message = `layer ${options.diffId} is not in the store`;
    throw failure ?? new StoreError('LAYER_UNAVAILABLE', message, { hint: 'pull or build the image again' });
  }

  async #unpackBlob(blob: LayerBlobRow, options: UnpackOptions & ExpectedLayer): Promise<void> {
    const { blobs, content, partials } = this.#parts;
    const descriptor = descriptorOf(blob);
    const applied = async (): Promise<boolean> =>
      blobs.present(blob.digest) !== undefined && (await this.#applyFile(descriptor, options));
    if (await applied()) return;
    const { diffId, parent, signal } = options;
    const onBytes = bytesOf(options, descriptor.size);
    await receiveBlob(
      { base: this.#base, partials },
      {
        descriptor,
        signal,
        source: (offset) => content.openRemote(descriptor, { signal, offset }),
        isHere: applied,
        take: (arriving) => this.takeArriving(arriving, { diffId, parent, signal, onBytes }),
      },
    );
  }

  /** One pass: what is kept is read again and the rest written; all of it hashed, inflated, hashed, applied. */
  async takeArriving(
    blob: ArrivingBlob,
    options: ExpectedLayer & CallOptions & { readonly onBytes?: ((bytes: number) => void) | undefined },
  ): Promise<void> {
    const { descriptor, kept, handle, rest } = blob;
    const { diffId, parent, signal, onBytes } = options;
    let at = kept;
    const where = { diffId, parent, signal, expect: descriptor, ingestFd: handle.fd, ingested: kept };
    const onDealt = (bytes: number): void => onBytes?.((at += bytes));
    await this.#apply(rest, { ...where, onDealt }, () => this.#publish(descriptor, blob.path, diffId));
  }

  async #publish(descriptor: Descriptor, file: string, diffId: Digest): Promise<void> {
    const { blobs } = this.#parts;
    await publish(this.#base, descriptor, file, () => {
      blobs.put(descriptor);
      blobs.putLayer({ diffId, digest: descriptor.digest, verified: true });
    });
  }

  /** False where the file proved to be damaged and was put away. */
  async #applyFile(descriptor: Descriptor, options: UnpackOptions & ExpectedLayer): Promise<boolean> {
    const { blobs, content } = this.#parts;
    const record = (): void => blobs.putLayer({ diffId: options.diffId, digest: descriptor.digest, verified: true });
    try {
      const source = { path: this.#base.paths.blob(descriptor.digest) };
      await this.#apply(source, { ...options, expect: descriptor }, () => this.#base.db.writeSoon(record));
      return true;
    } catch (error) {
      if (errnoOf(error) !== 'DIGEST_MISMATCH' && errnoOf(error) !== 'SIZE_MISMATCH') throw error;
      content.quarantine(descriptor.digest);
      return false;
    }
  }

  /** One pass: hashed, written, inflated, hashed, applied. The blob becomes visible first, then the snapshot. */
  async #applyAndStore(
    descriptor: Descriptor,
    content: Readable | Uint8Array,
    options: UnpackOptions & ExpectedLayer,
  ): Promise<void> {
    const file = ingestPath(this.#base);
    try {
      const handle = await fs.open(file, 'wx', 0o600);
      try {
        const source = content instanceof Uint8Array ? [content] : content;
        const where = { ...options, expect: descriptor, ingestFd: handle.fd };
        await this.#apply(source, where, () => this.#publish(descriptor, file, options.diffId));
      } finally {
        await handle.close();
      }
    } catch (error) {
      discardContent(content);
      await fs.rm(file, { force: true });
      throw asStoreError(error, `cannot store layer ${descriptor.digest}`);
    }
  }

  /** The same layer may have been made over another parent. */
  async #unpackDerived(options: UnpackOptions & ExpectedLayer): Promise<boolean> {
    const row = findDerivable(this.#base, options.diffId);
    if (row === undefined) return false;
    const { tree, headerList } = this.#base.paths.snapshot(snapshotId(row.number));
    const { stream } = compressInWorker({ headerList, folder: tree }, { compression: 'none', signal: options.signal });
    await this.#apply(stream, options, () => Promise.resolve());
    return true;
  }

  /** Applies a layer into a new snapshot; `before` runs between the last check and the commit. */
  async #apply(
    source: ChunkSource | { readonly path: string },
    options: ApplyOptions,
    before: () => Promise<void>,
  ): Promise<void> {
    const { snapshots } = this.#parts;
    const { diffId, parent, expect, ingestFd, ingested, signal } = options;
    const active = await snapshots.prepare(parent);
    try {
      const applied = await applyInWorker(source, active.folder, {
        privileges: this.#base.privileges,
        whiteouts: active.driver === 'overlay' ? 'overlay' : 'delete',
        lowers: active.driver === 'overlay' && parent !== undefined ? snapshots.lowers(parent) : [],
        expect,
        ingestFd,
        ingested,
        signal,
        onProgress: options.onDealt ?? progressOf(options),
      });
      if (applied.diffId !== diffId) {
        throw new StoreError('DIFF_ID_MISMATCH', `a layer unpacks to ${applied.diffId}, its image says ${diffId}`);
      }
      await before();
      await snapshots.commit(active, { diffId, size: applied.size, entries: applied.entries });
    } catch (error) {
      await tolerant(() => snapshots.discard(active));
      throw asStoreError(error, `cannot unpack layer ${diffId}`);
    }
  }
}

/** Waits until somebody else's work ended, well or not, but no longer than until `signal`. */
async function settled(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal?.reason as Error);
  signal?.throwIfAborted();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, work.catch(() => undefined)]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function progressOf({ expect, ...options }: ApplyOptions): ((bytes: number) => void) | undefined {
  const tell = bytesOf(options, expect?.size);
  let bytes = 0;
  return tell && ((more) => tell((bytes += more)));
}

function bytesOf(
  { diffId, onProgress }: UnpackOptions & ExpectedLayer,
  total: number | undefined,
): ((bytes: number) => void) | undefined {
  return onProgress && ((bytes) => onProgress({ diffId, bytes, total: total ?? bytes }));
}
