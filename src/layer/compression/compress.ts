import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Compression, type Digest, finishDigest } from '../../oci/index.ts';
import { updateHash } from '../hashing.ts';
import type { CompressOptions, DraftLayer } from '../contract.ts';
import { type Block, blocksOf } from './blocks.ts';
import { gzip } from './gzip.ts';
import { zstd, zstdFrameSize } from './zstd.ts';

export interface CompressedLayer {
  /** Of the compressed bytes. */
  readonly digest: Digest;
  readonly size: number;
  /** Of the tar. */
  readonly diffId: Digest;
  readonly diffSize: number;
}

export interface Compressing {
  /** The compressed bytes; each chunk belongs to the reader. */
  readonly stream: Readable;
  /** Known once the stream has ended; fails as the stream does. */
  readonly result: Promise<CompressedLayer>;
}

/** What input is cut into before it is compressed, however it comes: the output must not depend on that. */
const blockSizes = { gzip: 1 << 20, zstd: zstdFrameSize, none: 1 << 20 } as const satisfies Record<Compression, number>;

/** What new layers are compressed with unless another level is asked for; measured: docs/decisions/0020-packing.md. */
export const defaultLevels = { gzip: 4, zstd: 3, none: 0 } as const satisfies Record<Compression, number>;

/** A tar on this machine that hashes itself while it is read, by calls that block. */
export interface HashedTar extends Iterable<Uint8Array> {
  /** To be asked when all of it was read. */
  readonly draft: () => Pick<DraftLayer, 'diffId' | 'size'>;
}

export type PlainTar = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | HashedTar;

/**
 * Compresses a tar, computing both digests in the same pass. The same tar gives the same bytes, whatever the sizes of its chunks and
 * the number of processors.
 */
export function compressLayer(tar: PlainTar, options: CompressOptions): Compressing {
  let settle: PromiseWithResolvers<CompressedLayer> | undefined = Promise.withResolvers<CompressedLayer>();
  const { promise } = settle;
  promise.catch(() => {}); // who reads the stream only hears of a failure there
  const stream = Readable.from(
    copied(
      compressed(tar, options, (layer) => {
        settle?.resolve(layer);
        settle = undefined;
      }),
    ),
    { objectMode: false, highWaterMark: blockSizes.gzip },
  );
  stream.once('close', () => settle?.reject(stream.errored ?? new Error('compression was stopped')));
  return { stream, result: promise };
}

async function* copied(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

/**
 * As `compressLayer`, without a stream: for who takes the bytes as they come. Each chunk is good until the next one is taken.
 * @param done is called before the end
 */
export async function* compressed(
  tar: PlainTar,
  options: CompressOptions,
  done: (layer: CompressedLayer) => void,
): AsyncGenerator<Buffer> {
  const plain = 'draft' in tar ? undefined : new RunningDraft();
  const packed = options.compression === 'none' ? undefined : createHash('sha256');
  let size = 0;
  const blocks = blocksOf(tar, blockSizes[options.compression], (bytes) => {
    options.signal?.throwIfAborted();
    plain?.add(bytes);
  });
  for await (const chunk of compressBlocks(blocks, options)) {
    if (packed !== undefined) updateHash(packed, chunk);
    size += chunk.length;
    yield chunk;
  }
  const { diffId, size: diffSize } = plain?.finish() ?? (tar as HashedTar).draft();
  done({ digest: packed === undefined ? diffId : finishDigest(packed), size, diffId, diffSize });
}

/** The hash of a tar that goes by. */
class RunningDraft {
  readonly #hash = createHash('sha256');
  #size = 0;

  add(bytes: Buffer): void {
    updateHash(this.#hash, bytes);
    this.#size += bytes.length;
  }

  finish(): Pick<DraftLayer, 'diffId' | 'size'> {
    return { diffId: finishDigest(this.#hash), size: this.#size };
  }
}

function compressBlocks(blocks: AsyncIterable<Block>, { compression, level }: CompressOptions): AsyncIterable<Buffer> {
  switch (compression) {
    case 'gzip':
      return gzip(blocks, level ?? defaultLevels.gzip);
    case 'zstd':
      return zstd(blocks, level ?? defaultLevels.zstd);
    case 'none':
      return plain(blocks);
  }
}

async function* plain(blocks: AsyncIterable<Block>): AsyncGenerator<Buffer> {
  for await (const block of blocks) {
    yield block.bytes;
    block.release();
  }
}
