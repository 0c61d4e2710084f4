import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { ownProcessRecord, type ProcessRecord } from './process-record.ts';

/**
 * The one lock of a process: `<dir>/<uuid>.db`, an SQLite file in an exclusive transaction, which the kernel ends when the
 * process dies. What names the uuid is dead exactly when the lock can be taken.
 *
 * POSIX locks fall when the process closes any descriptor of the file, so these files are opened by nothing but SQLite,
 * which knows of all of its own. Take it after any re-exec: an exec ends it.
 */
export class ProcessLock implements Disposable {
  readonly uuid: string;
  readonly #dir: string;
  readonly #db: DatabaseSync;

  private constructor(dir: string, uuid: string, db: DatabaseSync) {
    this.#dir = dir;
    this.uuid = uuid;
    this.#db = db;
  }

  /** Makes a lock for this process; the folder is made if it is not there. */
  static acquire(dir: string): ProcessLock {
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    for (;;) {
      const uuid = randomUUID();
      const lock = tryAcquire(dir, uuid);
      if (lock !== undefined) return new ProcessLock(dir, uuid, lock);
    }
  }

  /** Takes over the lock of a dead process, so as to clear away what it left; undefined: it lives, or another clears. */
  static take(dir: string, uuid: string): ProcessLock | undefined {
    const db = takeFile(lockFile(dir, uuid));
    return db === undefined ? undefined : new ProcessLock(dir, uuid, db);
  }

  /** Whether the process that a lock stands for lives. Readers do not hinder one another. */
  static isAlive(dir: string, uuid: string): boolean {
    if (!isUuid(uuid)) return false;
    let db: DatabaseSync | undefined;
    try {
      db = openExisting(lockFile(dir, uuid), 'rw');
      db.prepare('SELECT count(*) FROM sqlite_schema').get();
      return false;
    } catch (error) {
      return isBusy(error);
    } finally {
      db?.close();
    }
  }

  /** The locks of dead processes. `take` each, clear away what it names, `remove` it. */
  static reapable(dir: string): string[] {
    const uuids: string[] = [];
    for (const name of fs.existsSync(dir) ? fs.readdirSync(dir) : []) {
      const uuid = path.basename(name, '.db');
      if (name.endsWith('.db') && isUuid(uuid) && !ProcessLock.isAlive(dir, uuid)) uuids.push(uuid);
      if (name.endsWith('.new')) removeUnfinished(path.join(dir, name));
    }
    return uuids;
  }

  /** Who holds or held a lock, for messages; undefined where that cannot be read. */
  static describe(dir: string, uuid: string): ProcessRecord | undefined {
    if (!isUuid(uuid)) return undefined;
    let db: DatabaseSync | undefined;
    try {
      db = openExisting(lockFile(dir, uuid), 'immutable'); // does not ask for locks
      const row = db.prepare('SELECT pid, start_time, boot_id FROM process').get();
      if (row === undefined) return undefined;
      return { pid: Number(row['pid']), startTime: String(row['start_time']), bootId: String(row['boot_id']) };
    } catch {
      return undefined;
    } finally {
      db?.close();
    }
  }

  /** Gives the lock up and its file away: nothing names it any more. */
  remove(): void {
    // While it is held: whoever opened the file before takes it only after it has lost its name, and finds that out.
    fs.rmSync(lockFile(this.#dir, this.uuid), { force: true });
    this.close();
  }

  /** Gives the lock up; the file stays for the next command to reap. */
  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const lockFile = (dir: string, uuid: string): string => path.join(dir, `${uuid}.db`);

/**
 * Locks the file under another name first: under its own, a reaper could take it for a dead process's in the moment before it
 * is locked. undefined: a reaper took it under the other name.
 */
function tryAcquire(dir: string, uuid: string): DatabaseSync | undefined {
  const unfinished = path.join(dir, `${uuid}.new`);
  const db = new DatabaseSync(unfinished, { timeout: 0 });
  try {
    const { pid, startTime, bootId } = ownProcessRecord();
    // Nothing of this needs to survive a power cut: a torn file is a dead lock.
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; BEGIN EXCLUSIVE');
    db.exec('CREATE TABLE process (pid INTEGER, start_time TEXT, boot_id TEXT)');
    db.prepare('INSERT INTO process VALUES (?, ?, ?)').run(pid, startTime, bootId);
    db.exec('COMMIT; BEGIN EXCLUSIVE');
    fs.renameSync(unfinished, lockFile(dir, uuid));
    return db;
  } catch (error) {
    db.close();
    if (isBusy(error) || !fs.existsSync(unfinished)) return undefined;
    fs.rmSync(unfinished, { force: true });
    throw error;
  }
}

function takeFile(file: string): DatabaseSync | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = openExisting(file, 'rw');
    db.exec('BEGIN EXCLUSIVE');
    if (fs.existsSync(file)) return db;
  } catch (error) {
    // A torn file after a power cut: its process is dead, and there is nothing to lock.
    if (isSqliteError(error, notADatabase, corrupt)) fs.rmSync(file, { force: true });
  }
  db?.close();
  return undefined;
}

/** A process died, or is at this moment, between making the file and naming it. */
function removeUnfinished(file: string): void {
  const db = takeFile(file);
  if (db === undefined) return;
  fs.rmSync(file, { force: true });
  db.close();
  fs.rmSync(`${file}-journal`, { force: true });
}

function openExisting(file: string, mode: 'rw' | 'immutable'): DatabaseSync {
  const url = pathToFileURL(file);
  url.search = mode === 'rw' ? 'mode=rw' : 'mode=ro&immutable=1';
  return new DatabaseSync(url, { timeout: 0 });
}

// Primary result codes of SQLite; the extended ones keep them in their low byte.
const busy = 5;
const corrupt = 11;
const notADatabase = 26;

function isBusy(error: unknown): boolean {
  return isSqliteError(error, busy);
}

function isSqliteError(error: unknown, ...codes: readonly number[]): boolean {
  const known = typeof error === 'object' && error !== null && 'errcode' in error;
  const code = known ? Number(error.errcode) & 0xff : -1;
  return codes.includes(code);
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}
