import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeFully } from '../../system/index.ts';

export interface FolderBounds {
  readonly bytes: number;
  readonly files: number;
}

const abandonedMs = 3_600_000;

/**
 * Puts a file into a folder of caches, whole or not at all, and keeps the folder within its bounds. Not synced: whoever reads it checks
 * what he finds. False: it could not be written (a full disk, a read-only store), which is no reason to fail.
 */
export function writeCacheFile(file: string, bytes: Uint8Array, bounds: FolderBounds): boolean {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const fd = openSync(temporary, 'wx', 0o600);
    try {
      writeFully(fd, bytes);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, file);
    boundFolder(dirname(file), file, bounds);
    return true;
  } catch {
    remove(temporary);
    return false;
  }
}

/**
 * Deletes the files of a cache folder that were written longest ago until it is within its bounds, and temporary files (with a dot
 * in their names) whose writers died. Other processes may do the same at once.
 * @param keep a file that stays whatever its size
 */
export function boundFolder(folder: string, keep: string, { bytes, files }: FolderBounds): void {
  const now = Date.now();
  let [size, count] = [0, 0];
  for (const { path, stats } of newestFirst(folder)) {
    size += stats.size;
    count += 1;
    const abandoned = path.slice(folder.length).includes('.') && now - stats.mtimeMs > abandonedMs;
    if (path !== keep && (abandoned || size > bytes || count > files)) remove(path);
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {} // the next one who writes tries again
}

function newestFirst(folder: string) {
  return readdirSync(folder)
    .flatMap((name) => {
      const path = join(folder, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats?.isFile() ? [{ path, stats }] : [];
    })
    .toSorted((a, b) => b.stats.mtimeMs - a.stats.mtimeMs);
}
