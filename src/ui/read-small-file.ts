import { open } from 'node:fs/promises';
import { reasonOf } from '../system/index.ts';
import { UiError } from './error.ts';
import { readStandardInput } from './read-standard-input.ts';

/**
 * All of a file that is small, or of standard input for `-`.
 * @param limit bytes
 * @throws UiError FILE_UNREADABLE; UsageError for standard input beyond the limit
 */
export async function readSmallFile(path: string, limit: number): Promise<Buffer> {
  if (path === '-') return readStandardInput(limit);
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > limit) throw new UiError('FILE_UNREADABLE', `${path} has ${size} bytes, the limit is ${limit}`);
    return await file.readFile();
  } catch (error) {
    if (error instanceof UiError) throw error;
    throw new UiError('FILE_UNREADABLE', `cannot read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}
