import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import {
  openDiskStorage,
  openSession,
  type RegistryServer,
  type RegistryServerOptions,
  startRegistry,
} from '../../src/registry/index.ts';
import type { SessionOptions } from '../../src/registry/index.ts';

/** For files that need no disk: syncing costs nothing there. */
export const scratch = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export interface EmbeddedRegistry extends RegistryServer {
  readonly root: string;
  /** Ends when the layouts show what was pushed. */
  settle(): Promise<void>;
}

/** An embedded registry over a directory of its own, which goes with it. */
export async function embeddedRegistry(options: Partial<RegistryServerOptions> = {}): Promise<EmbeddedRegistry> {
  const root = await mkdtemp(join(scratch, 'slipway-registry-'));
  const storage = await openDiskStorage(root);
  const server = await startRegistry({ storage, ...options });
  const close = async (): Promise<void> => {
    await server.close();
    await rm(root, { recursive: true, force: true });
  };
  return { ...server, root, settle: () => storage.settle(), close, [Symbol.asyncDispose]: close };
}

/** A session without real waiting, so that retries cost no time. */
export function quickSession(options: SessionOptions = {}) {
  return openSession({ clock: quickClock(), ...options });
}

/** A clock on which sleeping takes no time but is noted. */
export function quickClock(slept: number[] = []) {
  let now = Date.UTC(2030, 0, 1);
  return {
    now: () => now,
    sleep: (milliseconds: number, signal?: AbortSignal): Promise<void> => {
      if (signal?.aborted) return Promise.reject(signal.reason as Error);
      slept.push(milliseconds);
      now += milliseconds;
      return new Promise((resolve) => setImmediate(resolve));
    },
    random: () => 0.5,
  };
}
