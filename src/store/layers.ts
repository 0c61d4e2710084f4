import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { compressInWorker } from '../layer/index.ts';
import type { CallOptions, Digest } from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import { type Blobs, descriptorOf } from './blobs.ts';
import type { StoreContent } from './content.ts';
import { StoreError } from './error.ts';
import { findDerivable, snapshotId } from './snapshot-rows.ts';

/** Layers by diffID, whatever form they are kept in. */
export class StoreLayers {
  readonly #base: StoreBase;
  readonly #blobs: Blobs;
  readonly #content: StoreContent;

  constructor(base: StoreBase, parts: { readonly blobs: Blobs; readonly content: StoreContent }) {
    this.#base = base;
    this.#blobs = parts.blobs;
    this.#content = parts.content;
  }

  /** Bytes of its tar where it was ever unpacked or stored so, else of the blob that holds it. */
  size(diffId: Digest): number | undefined {
    const snapshot = this.#base.db.get<{ size: number }>(
      'SELECT size FROM snapshots WHERE diff_id = ? LIMIT 1',
      diffId,
    );
    if (snapshot !== undefined) return snapshot.size;
    const blobs = this.#blobs.ofLayer(diffId);
    return (blobs.find((blob) => blob.digest === diffId) ?? blobs[0])?.size;
  }

  /** Looks at the disk too: somebody may have deleted what the database still knows. */
  has(diffId: Digest): boolean {
    if (findDerivable(this.#base, diffId) !== undefined) return true;
    return this.#blobs
      .ofLayer(diffId)
      .some(({ digest, state }) => state !== 'present' || existsSync(this.#base.paths.blob(digest)));
  }

  /**
   * The layer's bytes: the tar from a snapshot, or the blob as it is, compressed or not.
   * @throws StoreError LAYER_UNAVAILABLE
   */
  async open(diffId: Digest, options: CallOptions): Promise<Readable> {
    const snapshot = findDerivable(this.#base, diffId);
    if (snapshot !== undefined) {
      const { tree, headerList } = this.#base.paths.snapshot(snapshotId(snapshot.number));
      const { stream, result } = compressInWorker(
        { headerList, folder: tree },
        { compression: 'none', signal: options.signal },
      );
      result.catch(() => {}); // the stream fails with the same error
      return stream;
    }
    const blob = this.#blobs.ofLayer(diffId).find((row) => this.#content.state(row.digest) !== undefined);
    if (blob !== undefined) return this.#content.fetch(descriptorOf(blob), options);
    throw new StoreError('LAYER_UNAVAILABLE', `layer ${diffId} is not in the store`, {
      hint: 'pull or build the image again',
    });
  }
}
