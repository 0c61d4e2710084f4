import { chmodSync, chownSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import type { StoreBase } from '../base.ts';
import { trashNames } from '../files.ts';
import type { CacheSharing, FolderOwner } from './contract.ts';

// All functions here run inside of a transaction.

export interface MountRow {
  readonly number: number;
  readonly ready: number;
}

export interface UserRow {
  readonly owner: string;
  readonly sharing: CacheSharing;
}

/** Most recently used first. */
export function rowsOf({ db }: StoreBase, id: string, origin: string): readonly MountRow[] {
  const sql = 'SELECT number, ready FROM cache_mounts WHERE id = ? AND origin = ? ORDER BY last_used DESC, number DESC';
  return db.all<MountRow>(sql, id, origin);
}

export function usersOf({ db }: StoreBase, number: number): readonly UserRow[] {
  return db.all<UserRow>('SELECT owner, sharing FROM cache_mount_users WHERE mount = ?', number);
}

export interface NewMount {
  readonly id: string;
  readonly origin: string;
  readonly owner: FolderOwner;
  readonly ready: boolean;
}

/** Makes row and folder. */
export function insertMount(base: StoreBase, { id, origin, owner, ready }: NewMount): number {
  const sql =
    'INSERT INTO cache_mounts (id, origin, created, last_used, ready) VALUES (?, ?, ?, ?, ?) RETURNING number';
  const now = Date.now();
  const row = base.db.get<{ number: number }>(sql, id, origin, now, now, ready ? 1 : 0);
  if (row === undefined) throw new Error('a row was not returned');
  makeFolder(base, row.number, owner);
  return row.number;
}

/** An empty folder; whatever has its name is left from a transaction that failed. */
export function makeFolder(base: StoreBase, number: number, owner: FolderOwner): void {
  const folder = base.paths.cacheMount(number);
  mkdirSync(base.paths.cacheMounts, { recursive: true, mode: 0o700 });
  moveToTrash(base, number);
  mkdirSync(folder, { mode: 0o700 });
  setOwner(base, folder, owner);
}

export function setOwner({ privileges }: StoreBase, folder: string, { uid, gid, mode }: FolderOwner): void {
  if (privileges.kind !== 'single') chownSync(folder, uid, gid);
  chmodSync(folder, mode);
}

export function addUser({ db }: StoreBase, number: number, user: UserRow & { readonly use: string }): void {
  const sql = 'INSERT OR IGNORE INTO cache_mount_users (mount, owner, use, sharing) VALUES (?, ?, ?, ?)';
  db.run(sql, number, user.owner, user.use, user.sharing);
}

/** Takes row and folder away; the folder's content is deleted with the trash. */
export function deleteMount(base: StoreBase, number: number): void {
  moveToTrash(base, number);
  base.db.run('DELETE FROM cache_mounts WHERE number = ?', number);
  base.db.run('DELETE FROM cache_mount_users WHERE mount = ?', number);
}

/** Gives back what a process used that is dead, with its containers; what it was filling is nothing. */
export function forgetUser(base: StoreBase, owner: string): void {
  base.db.run('DELETE FROM cache_mount_users WHERE owner = ?', owner);
  for (const number of unfinished(base)) deleteMount(base, number);
}

/** Folders that nobody fills any more. */
export function unfinished({ db }: StoreBase): readonly number[] {
  const sql = 'SELECT number FROM cache_mounts WHERE ready = 0 AND number NOT IN (SELECT mount FROM cache_mount_users)';
  return db.all<{ number: number }>(sql).map((row) => row.number);
}

function moveToTrash(base: StoreBase, number: number): void {
  const folder = base.paths.cacheMount(number);
  if (existsSync(folder)) renameSync(folder, trashNames(base.paths)());
}
