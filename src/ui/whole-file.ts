import { stat, writeFile } from 'node:fs/promises';
import { type FileContent, putFile, reasonOf, replaceFile } from '../system/index.ts';
import { UiError } from './error.ts';

/**
 * Writes a file that the user named, new or not: whoever looks sees nothing, the old one, or all of it. Pipes and devices are
 * written into.
 * @throws UiError FILE_UNWRITABLE
 */
export async function writeWholeFile(path: string, content: FileContent): Promise<void> {
  try {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) await putFile(path, content);
    else if (found.isFile()) await replaceFile(path, content);
    else await writeFile(path, content);
  } catch (error) {
    throw new UiError('FILE_UNWRITABLE', `cannot write ${path}: ${reasonOf(error)}`, { cause: error });
  }
}
