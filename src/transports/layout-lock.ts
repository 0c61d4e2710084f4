import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TransportError } from './error.ts';

/** How long another process may hold the index before we give up, milliseconds; it needs it for a few. */
const patience = 60_000;

/**
 * Runs `work` while no other process of this machine does so for the same folder. The lock is SQLite's on an empty file: the
 * kernel frees it when its holder dies, so none is ever stale.
 * @throws TransportError LOCK_TIMEOUT
 */
export async function withFolderLock<T>(
  folder: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
  try {
    await acquire(() => database.exec('BEGIN EXCLUSIVE'), folder, signal);
    return await work();
  } finally {
    database.close();
  }
}

/** Polls: waiting inside SQLite would hold the event loop. */
async function acquire(begin: () => void, folder: string, signal: AbortSignal | undefined): Promise<void> {
  const deadline = Date.now() + patience;
  for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
    signal?.throwIfAborted();
    try {
      begin();
      return;
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (Date.now() > deadline) {
        throw new TransportError('LOCK_TIMEOUT', `another process keeps ${folder} locked`, { cause: error });
      }
    }
    await sleep(pause, undefined, signal === undefined ? {} : { signal });
  }
}

/** SQLITE_BUSY, or SQLITE_LOCKED. */
function isBusy(error: unknown): boolean {
  const code = (error as { readonly errcode?: unknown }).errcode;
  return code === 5 || code === 6;
}
