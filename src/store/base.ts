import type { Privileges } from '../system/index.ts';
import type { StoreOptions } from './contract.ts';
import type { Database } from './database.ts';
import type { Leases } from './leases.ts';
import type { StorePaths } from './paths.ts';
import type { WorkerThread } from './worker-thread.ts';

/** What the parts of an open store share. */
export interface StoreBase {
  readonly paths: StorePaths;
  readonly db: Database;
  readonly privileges: Privileges;
  readonly leases: Leases;
  readonly worker: WorkerThread;
  readonly options: StoreOptions;
}
