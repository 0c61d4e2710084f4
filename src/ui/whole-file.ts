import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { reasonOf, replaceFile } from '../system/index.ts';
import { UiError } from './error.ts';

/**
 * Writes a file that the user named, new or not: whoever looks sees nothing, the old one, or all of it. Pipes and devices are
 * written into.
 * @throws UiError FILE_UNWRITABLE
 */
export async function writeWholeFile(path: string, content: string): Promise<void> {
  try {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) await createWhole(path, content);
    else if (found.isFile()) await replaceFile(path, Buffer.from(content));
    else await writeFile(path, content);
  } catch (error) {
    throw new UiError('FILE_UNWRITABLE', `cannot write ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

async function createWhole(path: string, content: string): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.slipway-${randomUUID()}`);
  try {
    {
      await using file = await open(temporary, 'wx');
      await file.writeFile(content);
      await file.sync();
    }
    await rename(temporary, path);
    await using directory = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    await directory.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
