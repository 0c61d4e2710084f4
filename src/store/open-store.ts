import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import { accessSync, closeSync, constants, existsSync, openSync, readdirSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { mediaTypes, serializeIndex } from '../oci/index.ts';
import { isNetworkFileSystem, ProcessLock, syncFolder } from '../system/index.ts';
import type { StoreBase } from './base.ts';
import type { Store, StoreOptions } from './contract.ts';
import { Database } from './database.ts';
import { asStoreError, errnoOf, isMissing, StoreError } from './error.ts';
import { writeDurably } from './files.ts';
import { indexChanged } from './image-index.ts';
import { Leases } from './leases.ts';
import { type StorePaths, storePaths } from './paths.ts';
import { reapDeadProcesses } from './reap.ts';
import { LocalStore } from './store.ts';
import { WorkerThread } from './worker-thread.ts';

/**
 * Opens the store at `options.root`, made if it is not there, and clears away what dead processes left in it.
 * @throws StoreError NETWORK_FILE_SYSTEM, NEWER_SCHEMA, NOT_A_STORE, READ_ONLY, DISK_FULL, DAMAGED, BUSY
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const paths = storePaths(path.resolve(options.root));
  try {
    return await (options.readOnly === true ? openForReading(paths, options) : openForWriting(paths, options));
  } catch (error) {
    throw diskFull(paths, error) ?? asStoreError(error, `cannot open the store ${paths.root}`);
  }
}

/** SQLite needs some room before it can be asked anything, and calls the lack of it an input/output error. */
function diskFull(paths: StorePaths, error: unknown): StoreError | undefined {
  if (!(error instanceof StoreError) || error.code !== 'IO_FAILED' || !existsSync(paths.root)) return undefined;
  const { bavail, bsize } = statfsSync(paths.root);
  if (bavail * bsize >= 1 << 16) return undefined;
  return new StoreError('DISK_FULL', `cannot open the store ${paths.root}: no space left on device`, {
    hint: 'free some space on its file system; `slipway prune` can free more then',
    cause: error,
  });
}

async function openForReading(paths: StorePaths, options: StoreOptions): Promise<Store> {
  if (!(await isThere(paths.database))) throw notAStore(paths, 'it has no slipway.db');
  const db = await Database.open(paths.database, { readOnly: true, immutable: !isWritable(paths.root) });
  return new LocalStore(baseOf(paths, db, options));
}

async function openForWriting(paths: StorePaths, options: StoreOptions): Promise<Store> {
  await fs.mkdir(paths.root, { recursive: true, mode: 0o700 });
  await refuseUnsafe(paths);
  createDatabaseFile(paths.database);
  const db = await Database.open(paths.database, { readOnly: false, immutable: false });
  const base = baseOf(paths, db, options);
  try {
    await makeLayout(base);
    const store = new LocalStore(base);
    await reapDeadProcesses(base, store.trash);
    await store.dropLost(() => someoneLives(paths.locks));
    return store;
  } catch (error) {
    await base.worker.close();
    db.close();
    throw error;
  }
}

function baseOf(paths: StorePaths, db: Database, options: StoreOptions): StoreBase {
  const leases = new Leases(db, paths.locks);
  return { paths, db, privileges: options.privileges, leases, worker: new WorkerThread(), options };
}

async function refuseUnsafe(paths: StorePaths): Promise<void> {
  const kind = isNetworkFileSystem(paths.root);
  if (kind !== undefined) {
    throw new StoreError('NETWORK_FILE_SYSTEM', `${paths.root} lies on a network file system (${kind})`, {
      hint: 'its locks cannot be trusted: set SLIPWAY_ROOT to a local folder',
    });
  }
  const stat = await fs.stat(paths.root);
  // Whoever can write here can make root run what they like.
  if ((stat.mode & 0o022) !== 0) throw notAStore(paths, 'others may write to it', `chmod go-w ${paths.root}`);
}

/** With its mode from the start. Never opened again but by SQLite: closing it would drop the locks of this process. */
function createDatabaseFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** The folders and files of a new store; one look where they are there. The row comes last: it says that all of it is. */
async function makeLayout(base: StoreBase): Promise<void> {
  const { db, paths } = base;
  if (db.get("SELECT 1 FROM meta WHERE key = 'uuid'") !== undefined) return;
  for (const folder of [paths.ingest, paths.snapshots, paths.containers, paths.locks, paths.trash]) {
    await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  }
  await fs.mkdir(path.join(paths.blobs, 'sha256'), { recursive: true, mode: 0o755 });
  await putFile(
    paths,
    paths.indexFile,
    serializeIndex({ kind: 'index', mediaType: mediaTypes.ociIndex, manifests: [] }),
  );
  await putFile(paths, paths.layoutFile, '{"imageLayoutVersion":"1.0.0"}\n');
  await syncFolder(paths.root);
  await db.writeSoon(() => {
    db.run("INSERT OR IGNORE INTO meta (key, value) VALUES ('uuid', ?), ('sync round', 0)", randomUUID());
    // Another first opening may have been quicker, and its index.json replaced by the empty one.
    indexChanged(db);
  });
}

async function putFile(paths: StorePaths, file: string, content: string | Uint8Array): Promise<void> {
  const scratch = path.join(paths.ingest, randomUUID());
  await writeDurably(scratch, { content, mode: 0o644 });
  await fs.rename(scratch, file);
}

/** Asked after the dead were cleared away, so that a file there is nearly always a living process's. */
function someoneLives(locks: string): boolean {
  const uuids = readdirSync(locks).filter((name) => name.endsWith('.db'));
  return uuids.some((name) => ProcessLock.isAlive(locks, path.basename(name, '.db')));
}

async function isThere(file: string): Promise<boolean> {
  try {
    await fs.access(file);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function notAStore(paths: StorePaths, reason: string, hint?: string): StoreError {
  return new StoreError('NOT_A_STORE', `${paths.root} cannot be the store: ${reason}`, { hint });
}
