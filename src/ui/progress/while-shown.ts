import { messageOf } from '../../errors.ts';
import type { ProgressRenderer } from './types.ts';

/** Does `work` and ends its progress, also where it fails: before the error is shown. */
export async function whileShown<T>(progress: ProgressRenderer, work: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    progress.end(error);
    await progress.close?.().catch(remark); // what failed first is what matters
    throw error;
  }
  progress.end();
  await progress.close?.();
  return result;
}

function remark(error: unknown): void {
  process.stderr.write(`WARNING: ${messageOf(error)}\n`);
}
