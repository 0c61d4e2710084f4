import { Readable } from 'node:stream';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { CallOptions, Digest } from '../../oci/index.ts';
import type { Compressing, CompressedLayer } from '../compression/compress.ts';
import type { ApplyOptions, CompressOptions, DraftLayer, LayerTask } from '../contract.ts';
import type { StackDiffOptions } from '../diff/diffed-tree.ts';
import type { Rewriting } from '../rewrite/contract.ts';
import type { LayerFacts } from '../survey.ts';
import { chunkPassed } from '../../system/index.ts';
import { SpareMemory } from '../spare-memory.ts';
import { Credit } from './credit.ts';
import { hashFrom } from './far-placer.ts';
import type { AppliedBlob, PackedLayer } from './jobs.ts';
import { type CompressibleTar, creditWindow, type Job, type Partners } from './messages.ts';
import { isTwiceIdle, type JobHandle, type JobListener, startJob } from './pool.ts';

export type ChunkSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface ApplyInWorkerOptions extends ApplyOptions {
  /** An open file that gets the bytes as they come and is on the disk when the call resolves; the caller closes it. */
  readonly ingestFd?: number | undefined;
  /** How many bytes of the blob that file holds already; `source` gives the rest, and the file is open for appending and reading. */
  readonly ingested?: number | undefined;
  /** What the bytes must be: a longer input fails while it streams. */
  readonly expect?: { readonly digest: Digest; readonly size: number } | undefined;
  /** Hears how many bytes of the input have been dealt with. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** Bytes of a blob from which on a second thread earns what its start costs. */
const worthTwoThreads = 4 << 20;

/**
 * Applies a layer in a worker thread, in one pass over its bytes: hash, keep, decompress, hash, apply; a large one where no other
 * job waits in two, and hashed in this one. `source`: a stream of
 * the blob, or a file of it. On failure `dir` holds part of the layer and is to be thrown away; by then nothing writes to it any more.
 * @throws LayerError; DIGEST_MISMATCH and SIZE_MISMATCH against `expect`
 */
export async function applyInWorker(
  source: ChunkSource | { readonly path: string },
  dir: string,
  options: ApplyInWorkerOptions,
): Promise<AppliedBlob> {
  const { signal, ingestFd, ingested, expect, onProgress, ...apply } = options;
  const input = 'path' in source ? { path: source.path } : 'chunks';
  const stream = 'path' in source ? undefined : source;
  const onBroken = ingestFd === undefined ? 'stop' : 'end';
  signal?.throwIfAborted();
  const job: Job = { kind: 'apply', dir, options: apply, input, ingestFd, ingested, expect };
  const how = { source: stream, signal, onProgress, onBroken } as const;
  if ((expect?.size ?? 0) < worthTwoThreads || !isTwiceIdle()) return (await run(job, how)) as AppliedBlob;
  const [places, hashes] = [new MessageChannel(), new MessageChannel()];
  const partners: Partners = { placer: places.port1, hasher: hashes.port1 };
  const applied = run({ ...job, partners }, { ...how, transfer: [partners.placer, partners.hasher] });
  // The first hears from the others what goes wrong there, and stops them when it ends itself.
  const placed = run({ kind: 'place', dir, options: apply, port: places.port2 }, { transfer: [places.port2] });
  const [result] = await Promise.allSettled([applied, placed, hashFrom(hashes.port2)]);
  if (result.status === 'rejected') throw result.reason;
  return result.value as AppliedBlob;
}

/** `makeLayer` in a worker thread. */
export async function makeLayerInWorker(task: LayerTask, call: CallOptions = {}): Promise<DraftLayer> {
  return (await run({ kind: 'diff', task }, call)) as DraftLayer;
}

/** `diffStack` in a worker thread. */
export async function diffStackInWorker(
  stack: readonly string[],
  options: StackDiffOptions,
  call: CallOptions = {},
): Promise<DraftLayer> {
  return (await run({ kind: 'diff-stack', stack, options }, call)) as DraftLayer;
}

/** `recordStats` in a worker thread. */
export async function recordStatsInWorker(folder: string, statsFile: string, call: CallOptions = {}): Promise<void> {
  await run({ kind: 'record-stats', folder, statsFile }, call);
}

/** `compressLayer` in a worker thread; given a header list and its folder, it derives the tar there too. */
export function compressInWorker(
  source: ChunkSource | { readonly headerList: string; readonly folder: string },
  options: CompressOptions,
): Compressing {
  const { signal, compression, level } = options;
  const derived = 'headerList' in source;
  const output = new OutputStream();
  const job: Job = { kind: 'compress', input: derived ? { ...source } : 'chunks', compression, level };
  const result = run(job, { source: derived ? undefined : source, signal, output }) as Promise<CompressedLayer>;
  result.then(
    () => output.push(null),
    (error: unknown) => output.destroy(error as Error),
  );
  return { stream: output, result };
}

/**
 * Derives a layer's tar, or inflates its blob, in a worker thread and writes it compressed into an open file, which is on the disk when the call
 * resolves; the caller closes it. No byte goes through the calling thread.
 */
export async function compressToFile(
  source: CompressibleTar,
  fd: number,
  { signal, compression, level }: CompressOptions,
): Promise<CompressedLayer> {
  const job: Job = { kind: 'compress', input: { ...source }, compression, level, outputFd: fd };
  return (await run(job, { signal })) as CompressedLayer;
}

/** `makeLayerInWorker`, and `compressToFile` of what it makes, in one pass over the folder. The bytes are those of the two. */
export async function packToFile(
  task: LayerTask,
  fd: number,
  { signal, compression, level }: CompressOptions,
): Promise<PackedLayer> {
  const job: Job = { kind: 'pack', task, compression, level, outputFd: fd };
  return (await run(job, { signal })) as PackedLayer;
}

/** Reads a layer to its end, compressed or not, in a worker thread. @throws LayerError for what is no tar */
export async function surveyInWorker(
  source: ChunkSource | { readonly path: string },
  { signal }: CallOptions = {},
): Promise<LayerFacts> {
  const isFile = 'path' in source;
  const job: Job = { kind: 'survey', input: isFile ? { path: source.path } : 'chunks' };
  return (await run(job, { source: isFile ? undefined : source, signal })) as LayerFacts;
}

/**
 * Rewrites layers that are files, in a worker thread, into an open file, which is on the disk when the call resolves; the caller closes it.
 * @throws LayerError
 */
export async function rewriteToFile(
  how: Rewriting,
  fd: number,
  { signal, compression, level }: CompressOptions,
): Promise<CompressedLayer> {
  return (await run({ kind: 'rewrite', how, compression, level, outputFd: fd }, { signal })) as CompressedLayer;
}

interface RunOptions extends CallOptions {
  readonly source?: ChunkSource | undefined;
  readonly output?: OutputStream | undefined;
  readonly onProgress?: ((bytes: number) => void) | undefined;
  /** What the job hears of a source that breaks; `end` lets it deal with all that came. `stop` unless given. */
  readonly onBroken?: 'stop' | 'end';
  readonly transfer?: readonly MessagePort[] | undefined;
}

async function run(task: Job, options: RunOptions): Promise<unknown> {
  const { source, signal, output, onProgress, onBroken = 'stop', transfer } = options;
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const credit = new Credit();
  let cause: unknown;
  const listener: JobListener = {
    chunk: (bytes) => output?.deliver(bytes),
    credit(bytes, memory) {
      credit.grant(bytes);
      batches.give(memory);
      onProgress?.(bytes);
    },
    done: resolve,
    failed(error) {
      credit.fail(error);
      // What made us stop it says more than that it was stopped.
      reject((cause ?? error) as Error);
    },
  };
  const handle = startJob(task, listener, transfer);
  const stop = (reason: unknown): void => {
    cause ??= reason;
    handle.abort();
    credit.fail(reason as Error);
  };
  const onAbort = (): void => stop(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  output?.attach(handle, () => stop(new Error('the reader of the compressed layer went away')));
  const broken = (reason: unknown): void => {
    if (onBroken === 'stop') return stop(reason);
    cause ??= reason;
    handle.end();
  };
  if (source !== undefined) feed(source, handle, credit).catch(broken);
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    credit.fail(new Error('the job is over'));
    if (source instanceof Readable) source.destroy(); // it may be stuck, and nobody reads it any more
  }
}

const batchSize = 256 << 10;
/** As many as fill the window of one job. */
const batches = new SpareMemory(batchSize, creditWindow / batchSize);

/** Copies chunks into batches, whose memory is then given to the thread: a stream's own chunks may be parts of shared memory. */
async function feed(source: ChunkSource, handle: JobHandle, credit: Credit): Promise<void> {
  const take = (): Uint8Array<ArrayBuffer> => new Uint8Array(batches.take());
  let batch = take();
  let filled = 0;
  const flush = async (): Promise<void> => {
    await credit.spend(filled);
    handle.send(batch.subarray(0, filled));
    chunkPassed(filled);
    batch = take();
    filled = 0;
  };
  try {
    for await (const chunk of source) {
      for (let at = 0; at < chunk.byteLength; ) {
        const piece = chunk.subarray(at, at + batchSize - filled);
        batch.set(piece, filled);
        filled += piece.byteLength;
        at += piece.byteLength;
        if (filled === batchSize) await flush();
      }
    }
  } finally {
    // also of a source that broke: what came is worth keeping
    if (filled > 0) await flush();
    batches.give(batch.buffer);
  }
  handle.end();
}

/** The output of a job; the thread is told of what was read, so that it never runs far ahead. */
class OutputStream extends Readable {
  #handle: JobHandle | undefined;
  #gone: (() => void) | undefined;
  #unread = 0;

  constructor() {
    super({ highWaterMark: creditWindow / 4 });
  }

  attach(handle: JobHandle, gone: () => void): void {
    this.#handle = handle;
    this.#gone = gone;
  }

  deliver(bytes: Uint8Array): void {
    if (this.destroyed) return;
    this.#unread += bytes.byteLength;
    if (this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) this.#grant();
  }

  override _read(): void {
    this.#grant();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.readableEnded) this.#gone?.();
    callback(error);
  }

  #grant(): void {
    if (this.#unread > 0) this.#handle?.grant(this.#unread);
    this.#unread = 0;
  }
}
