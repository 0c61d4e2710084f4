import fs from 'node:fs';
import { errnoOf, isMissing } from '../error.ts';
import { join } from './path.ts';

/** Bytes on disk of a tree that others may be changing; a file with several names counts once. */
export function measureTree(folder: string): number {
  const seen = new Set<bigint>();
  const open: Buffer[] = [Buffer.from(folder)];
  let blocks = 0n;
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const entry of entriesOf(path)) {
      const child = join(path, entry.name);
      const stat = fs.lstatSync(child, { bigint: true, throwIfNoEntry: false });
      if (stat === undefined || (stat.nlink > 1n && !stat.isDirectory() && seen.has(stat.ino))) continue;
      if (stat.isDirectory()) open.push(child);
      else seen.add(stat.ino);
      blocks += stat.blocks;
    }
  }
  return Number(blocks * 512n);
}

function entriesOf(folder: Buffer): readonly fs.Dirent<Buffer>[] {
  try {
    return fs.readdirSync(folder, { encoding: 'buffer', withFileTypes: true });
  } catch (error) {
    // Without the rights of a user namespace some folders cannot be looked into.
    if (isMissing(error) || errnoOf(error) === 'EACCES') return [];
    throw error;
  }
}
