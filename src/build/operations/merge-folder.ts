import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import { basename } from 'node:path';
import { BuildError } from '../error.ts';
import type { ExportTarget } from '../workshop/jobs.ts';
import { type BytePath, bytesOf, locate, textOf } from '../copy/tree.ts';

/**
 * Moves what a finished folder holds into one that is there, on the same file system: what would not fit is found out before the
 * first thing is moved. Folders are merged, other things are replaced, no link is followed.
 * @throws BuildError COPY_CONFLICT for a file over a folder
 */
export function mergeFolder(from: string, { folder, mode }: ExportTarget): void {
  if (mode === 'copy') {
    refuseFileOverFolder(from, folder, '');
    moveInto(from, folder, '');
  } else replaceContent(from, folder);
  rmdirSync(from);
}

/** What was there is out of the way until the new content is in its place, and comes back where that cannot be. */
function replaceContent(from: string, folder: string): void {
  const aside = `${from}.old`;
  const own = new Set([bytesOf(basename(from)), bytesOf(basename(aside))]);
  mkdirSync(aside);
  try {
    for (const name of namesIn(folder, '')) if (!own.has(name)) renameSync(locate(folder, name), locate(aside, name));
    moveInto(from, folder, '');
  } catch (error) {
    for (const name of namesIn(aside, '')) {
      rmSync(locate(folder, name), { recursive: true, force: true });
      renameSync(locate(aside, name), locate(folder, name));
    }
    rmdirSync(aside);
    throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}

function refuseFileOverFolder(from: string, to: string, path: BytePath): void {
  for (const name of namesIn(from, path)) {
    const child = path === '' ? name : `${path}/${name}`;
    const there = lstatSync(locate(to, child), { throwIfNoEntry: false });
    const isFolder = lstatSync(locate(from, child)).isDirectory();
    if (there?.isDirectory() !== true) continue;
    if (!isFolder)
      throw new BuildError(
        'COPY_CONFLICT',
        `${textOf(child)} is a folder at the destination, and no folder in the image`,
      );
    refuseFileOverFolder(from, to, child);
  }
}

function moveInto(from: string, to: string, path: BytePath): void {
  for (const name of namesIn(from, path)) {
    const child = path === '' ? name : `${path}/${name}`;
    const [source, target] = [locate(from, child), locate(to, child)];
    const stats = lstatSync(source);
    const there = lstatSync(target, { throwIfNoEntry: false });
    if (stats.isDirectory() && there?.isDirectory() === true) {
      moveInto(from, to, child);
      rmdirSync(source);
      utimesSync(target, stats.atime, stats.mtime);
      continue;
    }
    // A folder cannot be renamed over what is none.
    if (stats.isDirectory() && there !== undefined) unlinkSync(target);
    renameSync(source, target);
  }
}

/**
 * Refuses to put a tree into a folder that holds other content under one of its names, as files of two platforms mostly are.
 * @throws BuildError COPY_CONFLICT
 */
export function refuseDifferent(root: string, folder: string, path: BytePath = ''): void {
  for (const name of namesIn(root, path)) {
    const child = path === '' ? name : `${path}/${name}`;
    const stats = lstatSync(locate(root, child));
    const there = lstatSync(locate(folder, child), { throwIfNoEntry: false });
    if (there === undefined) continue;
    if (stats.isDirectory() && there.isDirectory()) refuseDifferent(root, folder, child);
    else if (!sameFile(locate(root, child), locate(folder, child)))
      throw new BuildError('COPY_CONFLICT', `${textOf(child)} differs between the platforms`, {
        hint: 'platform-split=true (or nothing) gives each platform a folder of its own',
      });
  }
}

function sameFile(a: Buffer, b: Buffer): boolean {
  const [first, second] = [lstatSync(a), lstatSync(b)];
  if (first.isSymbolicLink() && second.isSymbolicLink())
    return readlinkSync(a, 'buffer').equals(readlinkSync(b, 'buffer'));
  return first.isFile() && second.isFile() && first.size === second.size && sameContent(a, b);
}

function sameContent(a: Buffer, b: Buffer): boolean {
  const [left, right] = [Buffer.allocUnsafe(1 << 16), Buffer.allocUnsafe(1 << 16)];
  const files = [openSync(a, 'r'), openSync(b, 'r')] as const;
  try {
    for (;;) {
      const got = readSync(files[0], left);
      if (got !== readSync(files[1], right) || left.compare(right, 0, got, 0, got) !== 0) return false;
      if (got === 0) return true;
    }
  } finally {
    for (const fd of files) closeSync(fd);
  }
}

function namesIn(root: string, path: BytePath): readonly BytePath[] {
  return readdirSync(locate(root, path), 'latin1');
}
