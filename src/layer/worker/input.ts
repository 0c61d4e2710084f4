import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LayerError } from '../error.ts';
import type { Job, JobInput } from './messages.ts';

/** What a job has to do with its surroundings. */
export interface JobContext {
  readonly input: AsyncIterable<Uint8Array>;
  /** Sends bytes out; resolves when more are welcome. */
  readonly output: (bytes: Buffer) => Promise<void>;
  /** Throws when the job shall stop. */
  readonly checkIn: () => void;
}

/** What was kept of a blob, read from its file; then what comes. */
export async function* blobOf(
  job: Extract<Job, { kind: 'apply' | 'keep' }>,
  context: JobContext,
): AsyncGenerator<Uint8Array> {
  const { ingestFd, ingested = 0 } = job;
  const buffer = Buffer.allocUnsafeSlow(ingestFd === undefined || ingested === 0 ? 0 : 1 << 20);
  for (let at = 0; ingestFd !== undefined && at < ingested; ) {
    const got = fs.readSync(ingestFd, buffer, 0, Math.min(buffer.length, ingested - at), at);
    if (got === 0) throw wrongSize(ingested, 'fewer');
    at += got;
    yield buffer.subarray(0, got);
    await setImmediate();
  }
  yield* inputOf(job.input, context);
}

/** Chunks that come, or a file that is read. */
export async function* inputOf(input: JobInput, context: JobContext): AsyncGenerator<Uint8Array> {
  if (input === 'chunks') return yield* context.input;
  const fd = fs.openSync(input.path, 'r');
  const buffer = Buffer.allocUnsafeSlow(1 << 20);
  try {
    for (let got = fs.readSync(fd, buffer); got > 0; got = fs.readSync(fd, buffer)) {
      yield buffer.subarray(0, got);
      await setImmediate();
    }
  } finally {
    fs.closeSync(fd);
  }
}

export function wrongSize(expected: number, which: 'more' | 'fewer'): LayerError {
  return new LayerError('SIZE_MISMATCH', `the layer has ${which} than the ${expected} bytes it should have`);
}

/** Brings a file's bytes to the disk, while the thread does what else there is. */
export const syncFile = promisify(fs.fsync);
