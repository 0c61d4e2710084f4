import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chunkPassed, syncFolder } from '../system/index.ts';

export interface WriteFileOptions {
  /** Where the file is while it is incomplete; on the same file system. */
  readonly temporaryFolder: string;
  /** Whether it must last through a power cut: file and folder are synced. */
  readonly durable: boolean;
}

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Writes a file that is complete, synced, and only then visible under `path`; if `chunks` fails there is nothing. */
export async function writeFileWhole(path: string, chunks: Chunks, options: WriteFileOptions): Promise<void> {
  await mkdir(options.temporaryFolder, { recursive: true });
  const temporary = join(options.temporaryFolder, `.${randomUUID()}.part`);
  const handle = await open(temporary, 'wx', 0o644);
  try {
    try {
      const write = pieceWriter(handle);
      for await (const chunk of chunks) {
        await write(chunk);
        chunkPassed(chunk.byteLength);
      }
      if (options.durable) await handle.sync();
    } finally {
      await handle.close();
    }
    await mkdir(dirname(path), { recursive: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  if (options.durable) await syncFolder(dirname(path));
}

/** At the file's own position; a write can be partial. */
export async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength; ) {
    done += (await handle.write(chunk, done, chunk.byteLength - done, null)).bytesWritten;
  }
}

/** A write that takes longer has waited for the disk, or this thread for a processor; some of them in a row are no chance. Milliseconds. */
const slow = 10;
const slowInARow = 3;
const largestAtOnce = 256 * 1024;

/**
 * Writes the pieces of one file, at its own position. What goes into the page cache takes 20 µs a piece, the way through the thread
 * pool three times that; so pieces are written at once, until one shows that the disk is behind.
 */
export function pieceWriter(handle: FileHandle): (chunk: Uint8Array) => Promise<void> | undefined {
  let slowOnes = 0;
  return (chunk) => {
    if (slowOnes >= slowInARow || chunk.byteLength > largestAtOnce) return writeAll(handle, chunk);
    const began = performance.now();
    const done = writeSync(handle.fd, chunk);
    slowOnes = performance.now() - began > slow ? slowOnes + 1 : 0;
    return done < chunk.byteLength ? writeAll(handle, chunk.subarray(done)) : undefined;
  };
}
