import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../../../system/index.ts';
import { codeOf } from '../../record.ts';

/** Writes a small file so that it is there whole or not at all, also after a power cut. */
export async function writeDurably(path: string, content: Uint8Array | string, temporaryIn: string): Promise<void> {
  const temporary = join(temporaryIn, randomUUID());
  try {
    {
      await using file = await open(temporary, 'wx', 0o644);
      await file.writeFile(content);
      await file.sync();
    }
    await moveDurably(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Renames a synced file to its final place and syncs the directory. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await makeDirectory(dirname(to));
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** As `moveDurably`; false where there is nothing to move. */
export async function movedIfThere(from: string, to: string): Promise<boolean> {
  try {
    await moveDurably(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** A second name for a file; one that is there already is success. @throws ENOENT where `from` is not there */
export async function linkDurably(from: string, to: string): Promise<void> {
  await makeDirectory(dirname(to));
  try {
    await link(from, to);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  await syncFolder(dirname(to));
}

/** True if there was a file to remove. */
export async function removeDurably(path: string): Promise<boolean> {
  try {
    await rm(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes(codeOf(error));
}

async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  // the entry of each new directory is in its parent
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}
