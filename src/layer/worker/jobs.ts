import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { algorithmOf, type Digest, finishDigest } from '../../oci/index.ts';
import { LayerPipe } from '../apply/layer-pipe.ts';
import { NearPlacer } from '../apply/placer.ts';
import { updateHash } from '../hashing.ts';
import { compressed, type CompressedLayer, type HashedTar, type PlainTar } from '../compression/compress.ts';
import { createDecompressor } from '../compression/decompress.ts';
import type { AppliedLayer, DraftLayer } from '../contract.ts';
import { derivePieces } from '../diff/derive.ts';
import { diffPieces, diffStack, makeLayer } from '../diff/diff.ts';
import { recordStats } from '../diff/stats.ts';
import { LayerError, type LayerErrorCode, layerErrorOf } from '../error.ts';
import { rewriteLayers } from '../rewrite/rewrite.ts';
import { SpareMemory } from '../spare-memory.ts';
import { type LayerFacts, LayerSurvey } from '../survey.ts';
import { FarPlacer, placeFrom } from './far-placer.ts';
import type { Job, JobInput } from './messages.ts';
import { writeFully } from '../../system/index.ts';

/** What a job has to do with its surroundings. */
export interface JobContext {
  readonly input: AsyncIterable<Uint8Array>;
  /** Sends bytes out; resolves when more are welcome. */
  readonly output: (bytes: Buffer) => Promise<void>;
  /** Throws when the job shall stop. */
  readonly checkIn: () => void;
}

export interface AppliedBlob extends AppliedLayer {
  /** The bytes as they came, compressed or not. */
  readonly blob: { readonly digest: Digest; readonly size: number };
}

/** A layer that was made and compressed in one pass. */
export interface PackedLayer {
  readonly draft: DraftLayer;
  readonly compressed: CompressedLayer;
}

export type JobResult = AppliedBlob | DraftLayer | CompressedLayer | PackedLayer | LayerFacts | undefined;

/** Does one job; several may be under way in a thread, taking turns at their awaits. */
export async function runJob(job: Job, context: JobContext): Promise<JobResult> {
  switch (job.kind) {
    case 'apply':
      return apply(job, context);
    case 'place':
      await placeFrom(job.port, job.dir, job.options, context.checkIn);
      return undefined;
    case 'diff':
      return makeLayer(job.task, context.checkIn);
    case 'diff-stack':
      return diffStack(job.stack, job.options, context.checkIn);
    case 'record-stats':
      recordStats(job.folder, job.statsFile);
      return undefined;
    case 'pack':
      return pack(job, context);
    case 'compress':
      return compress(tarOf(job.input, context), job, context);
    case 'survey':
      return survey(job, context);
    case 'rewrite':
      return compress(
        rewriteLayers(job.how, (path) => inputOf({ path }, context)),
        job,
        context,
      );
  }
}

/** One pass over the bytes: hashed, kept, decompressed, hashed, applied. What is kept is on the disk when it resolves. */
async function apply(job: Extract<Job, { kind: 'apply' }>, context: JobContext): Promise<AppliedBlob> {
  const algorithm = job.expect === undefined ? 'sha256' : algorithmOf(job.expect.digest);
  const hash = createHash(algorithm);
  const placer = job.partners === undefined ? new NearPlacer(job.dir, job.options) : new FarPlacer(job.partners);
  const pipe = new LayerPipe(placer, job.options);
  let size = 0;
  let malformed: LayerError | undefined;
  try {
    const ingested = job.ingestFd === undefined ? 0 : (job.ingested ?? 0);
    for await (const chunk of blobOf(job, context)) {
      context.checkIn();
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      size += bytes.length;
      if (job.expect !== undefined && size > job.expect.size) throw wrongSize(job.expect.size, 'more');
      updateHash(hash, bytes);
      if (job.ingestFd !== undefined && size > ingested) writeFully(job.ingestFd, bytes);
      if (malformed === undefined) malformed = await writeTo(pipe, bytes, job.expect === undefined ? 'throw' : 'keep');
    }
    if (job.expect !== undefined && size < job.expect.size) throw wrongSize(job.expect.size, 'fewer');
    const digest = finishDigest(hash, algorithm);
    if (job.expect !== undefined && digest !== job.expect.digest) {
      throw new LayerError('DIGEST_MISMATCH', `the layer's bytes are ${digest}, not ${job.expect.digest}`);
    }
    if (malformed !== undefined) throw malformed;
    const applied = await pipe.finish();
    if (job.ingestFd !== undefined) fs.fsyncSync(job.ingestFd);
    return { ...applied, blob: { digest, size } };
  } catch (error) {
    throw layerErrorOf(error, 'unpacking a layer');
  } finally {
    pipe.close();
  }
}

/** Bytes damaged on the way mostly do not parse either; that they are not those expected says it better, so it is found out first. */
async function writeTo(pipe: LayerPipe, bytes: Buffer, onMalformed: 'throw' | 'keep'): Promise<LayerError | undefined> {
  try {
    await pipe.write(bytes);
    return undefined;
  } catch (error) {
    if (onMalformed === 'keep' && error instanceof LayerError && malformedCodes.has(error.code)) return error;
    throw error;
  }
}

const malformedCodes: ReadonlySet<string> = new Set<LayerErrorCode>([
  'INVALID_TAR',
  'INVALID_COMPRESSION',
  'TRUNCATED',
]);

/** Reads a layer to its end and keeps nothing. */
async function survey(job: Extract<Job, { kind: 'survey' }>, context: JobContext): Promise<LayerFacts> {
  const layer = new LayerSurvey();
  try {
    for await (const chunk of inputOf(job.input, context)) {
      context.checkIn();
      await layer.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    }
    return await layer.finish();
  } catch (error) {
    throw layerErrorOf(error, 'reading a layer');
  } finally {
    layer.close();
  }
}

/** One pass over a folder: walked, hashed, compressed, hashed. */
async function pack(job: Extract<Job, { kind: 'pack' }>, context: JobContext): Promise<PackedLayer> {
  let draft: DraftLayer | undefined;
  const tar: HashedTar = {
    *[Symbol.iterator]() {
      draft = yield* diffPieces(job.task, context.checkIn);
    },
    draft: () => draft ?? notRead(),
  };
  const layer = await compress(tar, job, context);
  return { draft: draft ?? notRead(), compressed: layer };
}

async function compress(
  tar: PlainTar,
  job: Extract<Job, { kind: 'compress' | 'pack' | 'rewrite' }>,
  context: JobContext,
): Promise<CompressedLayer> {
  const options = { compression: job.compression, ...(job.level === undefined ? {} : { level: job.level }) };
  let layer: CompressedLayer | undefined;
  try {
    for await (const chunk of compressed(tar, options, (made) => (layer = made))) {
      context.checkIn();
      if (job.outputFd === undefined) await context.output(chunk);
      else writeFully(job.outputFd, chunk);
      await setImmediate(); // the thread hears its messages
    }
    if (job.outputFd !== undefined) fs.fsyncSync(job.outputFd);
  } catch (error) {
    throw layerErrorOf(error, 'compressing a layer');
  }
  if (layer === undefined) throw new LayerError('WORKER_FAILED', 'compression did not come to its end');
  return layer;
}

function tarOf(input: Extract<Job, { kind: 'compress' }>['input'], context: JobContext): PlainTar {
  if (input === 'chunks') return context.input;
  return 'blob' in input ? inflated(input.blob, context) : derived(input);
}

/** The tar in a blob, whatever its compression. */
async function* inflated(path: string, context: JobContext): AsyncGenerator<Buffer> {
  const plain: Buffer[] = [];
  const decompressor = createDecompressor((bytes) => void plain.push(Buffer.from(bytes)));
  try {
    for await (const chunk of inputOf({ path }, context)) {
      context.checkIn();
      for (const step of decompressor.steps(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) {
        await step;
        yield* plain.splice(0);
      }
    }
    await decompressor.end();
    yield* plain.splice(0);
  } finally {
    decompressor.close();
  }
}

/** Hashed once, by what checks it against its list. */
function derived({ headerList, folder }: { readonly headerList: string; readonly folder: string }): HashedTar {
  let draft: ReturnType<HashedTar['draft']> | undefined;
  return {
    [Symbol.iterator]: () => derivePieces(headerList, folder, (tar) => (draft = tar)),
    draft: () => draft ?? notRead(),
  };
}

function notRead(): never {
  throw new LayerError('WORKER_FAILED', 'a tar was not read to its end');
}

/** What was kept of a blob, read from its file; then what comes. */
async function* blobOf(job: Extract<Job, { kind: 'apply' }>, context: JobContext): AsyncGenerator<Uint8Array> {
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

/** What files are read into. */
const fileMemory = new SpareMemory(1 << 20, 4);

async function* inputOf(input: JobInput, context: JobContext): AsyncGenerator<Uint8Array> {
  if (input === 'chunks') return yield* context.input;
  const fd = fs.openSync(input.path, 'r');
  const memory = fileMemory.take();
  const buffer = Buffer.from(memory);
  try {
    for (let got = fs.readSync(fd, buffer); got > 0; got = fs.readSync(fd, buffer)) {
      yield buffer.subarray(0, got);
      await setImmediate();
    }
  } finally {
    fs.closeSync(fd);
    fileMemory.give(memory);
  }
}

function wrongSize(expected: number, which: 'more' | 'fewer'): LayerError {
  return new LayerError('SIZE_MISMATCH', `the layer has ${which} than the ${expected} bytes it should have`);
}
