import { type CallOptions, chainIdOf, type Digest } from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import type { Blobs } from './blobs.ts';
import { Claims } from './claims.ts';
import type { CacheRecord, CacheRecords } from './contract.ts';
import { hasSnapshotOfLayer } from './snapshot-rows.ts';

interface CacheRow {
  readonly key: Digest;
  readonly parts: string;
  readonly diff_id: Digest;
  readonly parent: Digest | null;
  readonly duration: number | null;
}

/** Finished steps by their keys, and facts about content. */
export class StoreCacheRecords implements CacheRecords {
  readonly #base: StoreBase;
  readonly #blobs: Blobs;
  readonly #claims: Claims;

  constructor(base: StoreBase, blobs: Blobs) {
    this.#base = base;
    this.#blobs = blobs;
    this.#claims = new Claims(base);
  }

  /** What is returned is kept from the garbage collector. */
  get(key: Digest, { withoutLayer = false } = {}): CacheRecord | undefined {
    const { db, options } = this.#base;
    const row = db.get<CacheRow>('SELECT key, parts, diff_id, parent, duration FROM cache WHERE key = ?', key);
    if (row === undefined || !(withoutLayer || this.#isAvailable(row.diff_id))) return undefined;
    const parent = row.parent ?? undefined;
    if (options.readOnly !== true) {
      const isHeld = db.writeVolatile(() => {
        // A collector may have been at it since the look.
        if (db.run('UPDATE cache SET used = unixepoch() WHERE key = ?', key) === 0) return false;
        if (!withoutLayer && !this.#isAvailable(row.diff_id)) return false;
        this.#base.leases.add('layer', row.diff_id);
        this.#base.leases.add('snapshot', chainIdOf(parent, row.diff_id));
        return true;
      });
      if (!isHeld) return undefined;
    }
    const parts = JSON.parse(row.parts) as Record<string, string>;
    return { key, parts, diffId: row.diff_id, parent, duration: row.duration ?? undefined };
  }

  claim(key: Digest, options?: CallOptions): Promise<Disposable> {
    return this.#claims.take(key, options);
  }

  /** A record goes with its snapshot, which a power cut takes while it is unsynced; the image at a build's end makes both durable. */
  put(record: CacheRecord): void {
    const { db } = this.#base;
    db.writeVolatile(() => {
      db.run(
        `INSERT OR REPLACE INTO cache (key, parts, diff_id, parent, duration, used)
         VALUES (?, ?, ?, ?, ?, unixepoch())`,
        record.key,
        JSON.stringify(record.parts),
        record.diffId,
        record.parent ?? null,
        record.duration === undefined ? null : Math.round(record.duration),
      );
    });
  }

  fact(kind: string, key: string): string | undefined {
    const sql = 'SELECT value FROM facts WHERE kind = ? AND key = ?';
    return this.#base.db.get<{ value: string }>(sql, kind, key)?.value;
  }

  /** What a power cut takes is worked out again. */
  putFact(kind: string, key: string, value: string): void {
    const { db } = this.#base;
    db.writeVolatile(() => {
      db.run('INSERT OR REPLACE INTO facts (kind, key, value) VALUES (?, ?, ?)', kind, key, value);
    });
  }

  #isAvailable(diffId: Digest): boolean {
    return hasSnapshotOfLayer(this.#base.db, diffId) || this.#blobs.ofLayer(diffId).length > 0;
  }
}
