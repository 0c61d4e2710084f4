import fs, { type BigIntStats } from 'node:fs';
import { errnoOf } from '../error.ts';
import { at, type ByteName } from './names.ts';

const pathOnly = 0o10000000; // O_PATH, which node:fs does not name
const openFlags = pathOnly | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;

/** Opens a folder to walk from; the last component may not be a symbolic link. */
export function openRoot(path: string | Buffer): number {
  return fs.openSync(path, openFlags);
}

/** Opens the child folder `name`; undefined where it is missing or anything but a folder. */
export function openFolder(parent: number, name: ByteName): number | undefined {
  try {
    return fs.openSync(at(parent, name), openFlags);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return undefined;
    throw error;
  }
}

export function statAt(folder: number, name: ByteName): BigIntStats | undefined {
  return fs.lstatSync(at(folder, name), { bigint: true, throwIfNoEntry: false });
}

/** A character device 0:0: how overlayfs writes "deleted". */
export function isWhiteoutDevice(stats: BigIntStats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0n;
}

/** The names in a folder, sorted bytewise. */
export function namesIn(path: string | Buffer): ByteName[] {
  return fs.readdirSync(path, { encoding: 'latin1' }).toSorted(compareNames);
}

/** Bytewise; `localeCompare` would depend on the machine. */
export function compareNames(a: ByteName, b: ByteName): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Removes whatever `name` is, with all below it, never through a symbolic link: each folder is opened without following and
 * emptied by descriptor.
 */
export function removeAt(folder: number, name: ByteName): void {
  try {
    fs.unlinkSync(at(folder, name));
    return;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return;
    if (errno !== 'EISDIR' && errno !== 'EPERM') throw error;
  }
  emptyFolder(folder, name);
  fs.rmdirSync(at(folder, name));
}

function emptyFolder(parent: number, name: ByteName): void {
  const fd = openFolder(parent, name);
  if (fd === undefined) return;
  try {
    for (const child of fs.readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' })) removeAt(fd, child);
  } finally {
    fs.closeSync(fd);
  }
}
