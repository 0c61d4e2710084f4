import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions } from '../oci/index.ts';
import { ProcessLock } from '../system/index.ts';
import type { StoreBase } from './base.ts';

/** Between two looks at what another process is at. Milliseconds. */
const pollMs = 50;

/**
 * Steps and downloads that somebody is at. Within this process the next in line is told; of other processes there is a row naming their lock, void
 * when the lock is. Whoever holds a claim waits for no other one, so none can wait in a circle.
 */
export class Claims {
  readonly #base: StoreBase;
  /** Settled when the last one in line lets go. */
  readonly #lines = new Map<string, Promise<void>>();

  constructor(base: StoreBase) {
    this.#base = base;
  }

  async take(key: string, options: CallOptions = {}): Promise<Disposable> {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const before = this.#lines.get(key);
    const line = before === undefined ? released : before.then(() => released);
    this.#lines.set(key, line);
    const leave = (): void => {
      release();
      if (this.#lines.get(key) === line) this.#lines.delete(key);
    };
    try {
      await unlessAborted(before, options.signal);
      await this.#takeRow(key, options);
    } catch (error) {
      leave();
      throw error;
    }
    return {
      [Symbol.dispose]: () => {
        try {
          this.#giveBack(key);
        } finally {
          leave(); // also where the row cannot be deleted now: it is this process's, whose next one may take it
        }
      },
    };
  }

  async #takeRow(key: string, options: CallOptions): Promise<void> {
    const { db, leases, paths } = this.#base;
    const mine = leases.owner();
    for (;;) {
      const owner = await db.writeVolatileSoon(() => {
        const row = db.get<{ owner: string }>('SELECT owner FROM claims WHERE key = ?', key);
        if (row !== undefined && row.owner !== mine && ProcessLock.isAlive(paths.locks, row.owner)) return row.owner;
        db.run('INSERT OR REPLACE INTO claims (key, owner) VALUES (?, ?)', key, mine);
        return mine;
      }, options);
      if (owner === mine) return;
      while (this.#owner(key) === owner && ProcessLock.isAlive(paths.locks, owner))
        await sleep(pollMs, undefined, { signal: options.signal });
    }
  }

  /** Whether a living process, this one included, is at it. Inside of a transaction it stays so. */
  isTaken(key: string): boolean {
    const owner = this.#owner(key);
    if (owner === undefined) return false;
    return owner === this.#base.leases.owner()
      ? this.#lines.has(key)
      : ProcessLock.isAlive(this.#base.paths.locks, owner);
  }

  #owner(key: string): string | undefined {
    return this.#base.db.get<{ owner: string }>('SELECT owner FROM claims WHERE key = ?', key)?.owner;
  }

  #giveBack(key: string): void {
    const { db, leases } = this.#base;
    db.writeVolatile(() => db.run('DELETE FROM claims WHERE key = ? AND owner = ?', key, leases.owner()));
  }
}

async function unlessAborted(wait: Promise<void> | undefined, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (wait === undefined) return;
  if (signal === undefined) return wait;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([wait, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
