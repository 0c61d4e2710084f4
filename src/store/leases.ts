import { ProcessLock } from '../system/index.ts';
import type { Database } from './database.ts';
import { StoreError } from './error.ts';

export type LeaseKind = 'blob' | 'layer' | 'snapshot' | 'image';

/**
 * What this process relies on: rows naming its lock, void when the lock is. The lock is taken with the first of them, so
 * that a command that only looks takes none.
 */
export class Leases {
  readonly #db: Database;
  readonly #locks: string;
  readonly #held = new Set<string>();
  #lock: ProcessLock | undefined;

  /** `locks`: the folder of the processes' locks. */
  constructor(db: Database, locks: string) {
    this.#db = db;
    this.#locks = locks;
  }

  /** The uuid that this process's rows and files name. */
  owner(): string {
    this.#lock ??= ProcessLock.acquire(this.#locks);
    return this.#lock.uuid;
  }

  /** Keeps something from the garbage collector until this process ends; also inside of a transaction. */
  add(kind: LeaseKind, ref: string): void {
    const key = `${kind} ${ref}`;
    if (this.#held.has(key)) return;
    const owner = this.owner();
    this.#db.writeVolatile(() => {
      this.#db.run('INSERT OR IGNORE INTO leases (owner, kind, ref) VALUES (?, ?, ?)', owner, kind, ref);
    });
    // Inside of a transaction the row may yet be rolled back.
    if (!this.#db.inTransaction) this.#held.add(key);
  }

  /** Gives all of them back, and the lock with them unless rows or folders of this process remain for a reaper. */
  release(): void {
    const lock = this.#lock;
    if (lock === undefined) return;
    this.#lock = undefined;
    this.#held.clear();
    try {
      this.#db.writeVolatile(() => this.#db.run('DELETE FROM leases WHERE owner = ?', lock.uuid));
      if (this.#ownsNothing(lock.uuid)) lock.remove();
    } catch (error) {
      // A full disk: the lock is given up, so that the next command does it.
      if (!(error instanceof StoreError)) throw error;
    } finally {
      lock.close();
    }
  }

  #ownsNothing(owner: string): boolean {
    const sql = `SELECT 1 FROM snapshots WHERE owner = ? UNION ALL SELECT 1 FROM containers WHERE owner = ?
      UNION ALL SELECT 1 FROM cache_mount_users WHERE owner = ? LIMIT 1`;
    return this.#db.get(sql, owner, owner, owner) === undefined;
  }
}
