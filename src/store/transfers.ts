import type { Digest, TransferMemory } from '../oci/index.ts';
import { ProcessLock } from '../system/index.ts';
import type { StoreBase } from './base.ts';

/** How many are kept, and how long: registries clear up uploads that nobody ends, most of them within a day. */
const most = 200;
const longestMs = 24 * 3_600_000;

/**
 * Uploads that a place has received in part, for the next process that sends the same. What one process is at, no other goes on with.
 * Nothing that a power cut takes is missed.
 */
export class Transfers implements TransferMemory {
  readonly #base: StoreBase;

  constructor(base: StoreBase) {
    this.#base = base;
  }

  take(place: string, digest: Digest): string | undefined {
    const { db, leases, paths } = this.#base;
    return db.writeVolatile(() => {
      const row = db.get<{ state: string; owner: string; kept: number }>(
        'SELECT state, owner, kept FROM transfers WHERE place = ? AND digest = ?',
        place,
        digest,
      );
      if (row === undefined || row.kept < Date.now() - longestMs) return undefined;
      const mine = leases.owner();
      // also where it is this process's: one run of it is at it then, and another must not disturb it
      if (row.owner === mine || ProcessLock.isAlive(paths.locks, row.owner)) return undefined;
      db.run('UPDATE transfers SET owner = ? WHERE place = ? AND digest = ?', mine, place, digest);
      return row.state;
    });
  }

  keep(place: string, digest: Digest, state: string): void {
    const { db, leases } = this.#base;
    db.writeVolatile(() => {
      const sql = 'INSERT OR REPLACE INTO transfers (place, digest, state, owner, kept) VALUES (?, ?, ?, ?, ?)';
      db.run(sql, place, digest, state, leases.owner(), Date.now());
      db.run(
        `DELETE FROM transfers WHERE kept < ?
           OR (place, digest) IN (SELECT place, digest FROM transfers ORDER BY kept DESC LIMIT -1 OFFSET ?)`,
        Date.now() - longestMs,
        most,
      );
    });
  }

  forget(place: string, digest: Digest): void {
    const { db } = this.#base;
    db.writeVolatile(() => db.run('DELETE FROM transfers WHERE place = ? AND digest = ?', place, digest));
  }
}
