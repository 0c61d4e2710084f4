import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from './sync-folder.ts';

/** What a file gets: at hand, or as it comes. */
export type FileContent = Uint8Array | string | AsyncIterable<Uint8Array>;

export interface PutFileOptions {
  /** Of the file; what the umask leaves of 0666 unless given. */
  readonly mode?: number | undefined;
  /** What else is done to the file before anybody can see it. */
  readonly finish?: ((file: FileHandle) => Promise<void>) | undefined;
}

/**
 * Writes a file, new or in the place of another one (or of a link): whoever looks sees what was there or this, whole, also after a
 * power cut. Its folder is there already.
 */
export async function putFile(
  path: string,
  content: FileContent,
  { mode = 0o666, finish }: PutFileOptions = {},
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.slipway-${randomUUID()}`);
  try {
    {
      await using file = await open(temporary, 'wx', mode);
      await file.writeFile(content);
      await finish?.(file);
      await file.sync();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
