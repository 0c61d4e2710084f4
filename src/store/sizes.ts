import type { Digest } from '../oci/index.ts';
import type { Database } from './database.ts';
import type { Live } from './mark.ts';

interface SnapshotSize {
  readonly chain_id: Digest;
  readonly diff_id: Digest;
  readonly size: number;
}

const snapshotSizes = "SELECT chain_id, diff_id, size FROM snapshots WHERE state = 'committed' AND condemned = 0";

/** Bytes of blobs that are here and of unpacked layers. */
export class StoreSizes {
  readonly #blobs: ReadonlyMap<Digest, number>;
  readonly #snapshots: readonly SnapshotSize[];
  readonly #layers = new Map<Digest, number>();

  /** All of a store. */
  static total(db: Database): number {
    const sum = (sql: string): number => db.get<{ sum: number | null }>(sql)?.sum ?? 0;
    return (
      sum("SELECT sum(size) AS sum FROM blobs WHERE state = 'present'") +
      sum("SELECT sum(size) AS sum FROM snapshots WHERE state = 'committed' AND condemned = 0")
    );
  }

  constructor(db: Database) {
    const blobs = db.all<{ digest: Digest; size: number }>("SELECT digest, size FROM blobs WHERE state = 'present'");
    this.#blobs = new Map(blobs.map((row) => [row.digest, row.size]));
    this.#snapshots = db.all<SnapshotSize>(snapshotSizes);
    for (const { diff_id, size } of this.#snapshots) this.#add(diff_id, size);
    const holding = db.all<{ diff_id: Digest; digest: Digest }>('SELECT diff_id, digest FROM layer_blobs');
    for (const { diff_id, digest } of holding) this.#add(diff_id, this.#blobs.get(digest) ?? 0);
  }

  of(live: Live): number {
    let total = 0;
    for (const digest of live.blobs) total += this.#blobs.get(digest) ?? 0;
    for (const row of this.#snapshots) {
      if (live.snapshots.has(row.chain_id) || live.layers.has(row.diff_id)) total += row.size;
    }
    return total;
  }

  /** A layer in all its forms: unpacked, compressed. */
  ofLayer(diffId: Digest): number {
    return this.#layers.get(diffId) ?? 0;
  }

  #add(diffId: Digest, size: number): void {
    this.#layers.set(diffId, (this.#layers.get(diffId) ?? 0) + size);
  }
}
