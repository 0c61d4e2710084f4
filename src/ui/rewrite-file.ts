import { stat } from 'node:fs/promises';
import { reasonOf, replaceFile } from '../system/index.ts';
import { UiError } from './error.ts';

/**
 * Gives a file that the user named other content.
 * @throws UiError FILE_UNWRITABLE where it is no regular file, or may not be replaced
 */
export async function rewriteFile(path: string, content: Uint8Array): Promise<void> {
  try {
    if ((await stat(path)).isFile()) return await replaceFile(path, content);
  } catch (error) {
    throw new UiError('FILE_UNWRITABLE', `cannot rewrite ${path}: ${reasonOf(error)}`, { cause: error });
  }
  throw new UiError('FILE_UNWRITABLE', `cannot rewrite ${path}: it is no file`);
}
