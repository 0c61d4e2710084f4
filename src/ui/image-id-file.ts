import { writeFile } from 'node:fs/promises';
import { messageOf, UsageError } from '../errors.ts';

/** `--iidfile`. @throws UsageError, with exit status 1: the image is there */
export async function writeImageId(file: string, imageId: string): Promise<void> {
  try {
    await writeFile(file, imageId);
  } catch (error) {
    throw new UsageError(`the image is built, but its id cannot be written: ${messageOf(error)}`, { exitCode: 1 });
  }
}
