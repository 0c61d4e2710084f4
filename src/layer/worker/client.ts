import { Readable } from 'node:stream';
import { type CallOptions, type Descriptor, type Digest, OciError } from '../../oci/index.ts';
import type { Compressing, CompressedLayer } from '../compression/compress.ts';
import type { ApplyOptions, CompressOptions, DiffOptions, DraftLayer } from '../contract.ts';
import type { StackDiffOptions } from '../diff/diffed-tree.ts';
import type { Rewriting } from '../rewrite/contract.ts';
import type { LayerFacts } from '../survey.ts';
import { LayerError } from '../error.ts';
import { Credit } from './credit.ts';
import type { AppliedBlob } from './jobs.ts';
import { type ChunkSource, feed } from './feed.ts';
import { type CompressibleTar, creditWindow, type Job } from './messages.ts';
import { type JobHandle, startJob } from './pool.ts';

export type { ChunkSource } from './feed.ts';

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

/**
 * Applies a layer in a worker thread, in one pass over its bytes: hash, keep, decompress, hash, apply. `source`: a stream of
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
  const job: Job = { kind: 'apply', dir, options: apply, input, ingestFd, ingested, expect };
  const stream = 'path' in source ? undefined : source;
  const onBroken = ingestFd === undefined ? 'stop' : 'end';
  return (await run(job, { source: stream, signal, onProgress, onBroken })) as AppliedBlob;
}

export interface KeepOptions extends CallOptions {
  readonly descriptor: Descriptor;
  /** How many bytes of the blob the file holds already; it is open for appending and reading then. */
  readonly ingested?: number;
  /** Whether it must be on the disk when the call resolves. */
  readonly sync: boolean;
  /** Hears how many bytes more have been dealt with. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** Many blobs are kept at once, and each piece takes a thread no longer than to write it; bytes. */
const keepWindow = 1 << 20;

/** Smaller blobs are hashed and written sooner than a thread would start; bytes. */
export const worthAThread = 4 << 20;

/**
 * Writes a blob to an open file in a worker thread, hashing it on the way; the caller closes the file. What came of a source that breaks is
 * written still.
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH
 */
export async function keepInWorker(source: ChunkSource, fd: number, options: KeepOptions): Promise<void> {
  const { descriptor, ingested, sync, signal, onProgress } = options;
  const { mediaType, digest, size } = descriptor;
  const job: Job = { kind: 'keep', input: 'chunks', ingestFd: fd, ingested, expect: { mediaType, digest, size }, sync };
  try {
    await run(job, { source, signal, onProgress, onBroken: 'end', window: keepWindow });
  } catch (error) {
    if (!(error instanceof LayerError)) throw error;
    if (error.code !== 'DIGEST_MISMATCH' && error.code !== 'SIZE_MISMATCH') throw error;
    throw new OciError(error.code, error.message);
  }
}

/** `diffLayer` in a worker thread. */
export async function diffInWorker(folder: string, options: DiffOptions, call: CallOptions = {}): Promise<DraftLayer> {
  return (await run({ kind: 'diff', folder, options }, call)) as DraftLayer;
}

/** `diffTree` in a worker thread. */
export async function diffTreeInWorker(
  folder: string,
  statsFile: string,
  options: DiffOptions,
  call: CallOptions = {},
): Promise<DraftLayer> {
  return (await run({ kind: 'diff', folder, statsFile, options }, call)) as DraftLayer;
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
  /** Bytes under way to the job. */
  readonly window?: number;
}

async function run(task: Job, options: RunOptions): Promise<unknown> {
  const { source, signal, output, onProgress, onBroken = 'stop', window } = options;
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const credit = new Credit(window);
  const free: ArrayBuffer[] = [];
  let cause: unknown;
  const handle = startJob(task, {
    chunk: (bytes) => output?.deliver(bytes),
    credit(bytes, memory) {
      credit.grant(bytes);
      free.push(memory);
      onProgress?.(bytes);
    },
    done: resolve,
    failed(error) {
      credit.fail(error);
      // What made us stop it says more than that it was stopped.
      reject((cause ?? error) as Error);
    },
  });
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
  if (source !== undefined) feed(source, handle, { credit, free }).catch(broken);
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    credit.fail(new Error('the job is over'));
    if (source instanceof Readable) source.destroy(); // it may be stuck, and nobody reads it any more
  }
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
