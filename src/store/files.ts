import fs from 'node:fs/promises';
import path from 'node:path';
import type { StorePaths } from './paths.ts';

export interface NewFile {
  readonly content: string | Uint8Array;
  readonly mode: number;
}

/** Writes and syncs a new file; where that fails there is none. Its folder is for the caller to sync. */
export async function writeDurably(file: string, options: NewFile): Promise<void> {
  const handle = await fs.open(file, 'wx', options.mode);
  try {
    try {
      await handle.writeFile(options.content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await fs.rm(file, { force: true });
    throw error;
  }
}

/** A name in the trash for each folder to delete; renamed there it is gone from its place at once. */
export function trashNames(paths: StorePaths): () => string {
  const prefix = `${process.pid}-${process.hrtime.bigint().toString(36)}`;
  let count = 0;
  return () => path.join(paths.trash, `t-${prefix}-${count++}`);
}
