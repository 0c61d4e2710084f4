import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Credit } from './credit.ts';
import type { JobHandle } from './pool.ts';

export type ChunkSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

const batchSize = 256 << 10;

interface FeedParts {
  readonly credit: Credit;
  /** Memory of batches that came back. */
  readonly free: ArrayBuffer[];
}

/** Sends a source to a job, to its end; of one that breaks, what came. */
export async function feed(source: ChunkSource, handle: JobHandle, parts: FeedParts): Promise<void> {
  const batches = new Batches(handle, parts);
  try {
    if (source instanceof Readable) await eachChunk(source, (chunk) => batches.add(chunk));
    else for await (const chunk of source) await batches.add(chunk);
  } finally {
    // also of a source that broke: what came is worth keeping
    await batches.flush();
  }
  handle.end();
}

/** Copies chunks into batches, whose memory is then given to the thread: a stream's own chunks may be parts of shared memory. */
class Batches {
  readonly #handle: JobHandle;
  readonly #parts: FeedParts;
  #batch: Uint8Array<ArrayBuffer>;
  #filled = 0;

  constructor(handle: JobHandle, parts: FeedParts) {
    this.#handle = handle;
    this.#parts = parts;
    this.#batch = this.#take();
  }

  /** A promise where the job is behind: then the next chunk must wait for it. */
  add(chunk: Uint8Array): Promise<void> | undefined {
    if (chunk.byteLength >= batchSize - this.#filled) return this.#split(chunk);
    this.#put(chunk);
    return undefined;
  }

  async flush(): Promise<void> {
    if (this.#filled === 0) return;
    await this.#parts.credit.spend(this.#filled);
    this.#handle.send(this.#batch.subarray(0, this.#filled));
    this.#batch = this.#take();
    this.#filled = 0;
  }

  async #split(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength; ) {
      const piece = chunk.subarray(at, at + batchSize - this.#filled);
      this.#put(piece);
      at += piece.byteLength;
      if (this.#filled === batchSize) await this.flush();
    }
  }

  #put(piece: Uint8Array): void {
    this.#batch.set(piece, this.#filled);
    this.#filled += piece.byteLength;
  }

  #take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#parts.free.pop() ?? new ArrayBuffer(batchSize));
  }
}

/** By events: iteration would join all chunks that wait into new memory, and copy each byte once more. */
async function eachChunk(source: Readable, take: (chunk: Uint8Array) => Promise<void> | undefined): Promise<void> {
  let last: Promise<void> | undefined;
  source.on('data', (chunk: Uint8Array) => {
    last = take(chunk);
    if (last === undefined) return;
    source.pause();
    last.then(
      () => source.resume(),
      (error: unknown) => source.destroy(error as Error),
    );
  });
  await finished(source, { writable: false });
  await last;
}
