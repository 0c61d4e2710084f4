import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Writes a folder's own entries to the disk: a new name, or a rename within it, lasts through a power cut only then. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync();
}
