import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import zlib from 'node:zlib';
import { type Digest, finishDigest } from '../../oci/index.ts';
import { updateHash } from '../hashing.ts';
import type { CompressOptions } from '../contract.ts';
import { type Block, blocksOf } from './blocks.ts';
import { gzip } from './gzip.ts';

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
export const blockSize = 1 << 20;

/**
 * Compresses a tar, computing both digests in the same pass. The same tar gives the same bytes, whatever the sizes of its chunks and
 * the number of processors. gzip: level 6 unless given; zstd: level 3.
 */
export function compressLayer(
  tar: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: CompressOptions,
): Compressing {
  let settle: PromiseWithResolvers<CompressedLayer> | undefined = Promise.withResolvers<CompressedLayer>();
  const { promise } = settle;
  promise.catch(() => {}); // who reads the stream only hears of a failure there
  const stream = Readable.from(
    compressed(tar, options, (layer) => {
      settle?.resolve(layer);
      settle = undefined;
    }),
    { objectMode: false, highWaterMark: blockSize },
  );
  stream.once('close', () => settle?.reject(stream.errored ?? new Error('compression was stopped')));
  return { stream, result: promise };
}

/**
 * As `compressLayer`, without a stream: for who takes the bytes as they come.
 * @param done is called before the end
 */
export async function* compressed(
  tar: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: CompressOptions,
  done: (layer: CompressedLayer) => void,
): AsyncGenerator<Buffer> {
  const plain = createHash('sha256');
  const packed = createHash('sha256');
  let size = 0;
  let diffSize = 0;
  const blocks = blocksOf(tar, blockSize, (bytes) => {
    options.signal?.throwIfAborted();
    updateHash(plain, bytes);
    diffSize += bytes.length;
  });
  for await (const chunk of compressBlocks(blocks, options)) {
    updateHash(packed, chunk);
    size += chunk.length;
    yield chunk;
  }
  done({ digest: finishDigest(packed), size, diffId: finishDigest(plain), diffSize });
}

function compressBlocks(blocks: AsyncIterable<Block>, { compression, level }: CompressOptions): AsyncIterable<Buffer> {
  switch (compression) {
    case 'gzip':
      return gzip(blocks, level ?? 6);
    case 'zstd':
      return zstd(blocks, level ?? 3);
    case 'none':
      return copies(blocks);
  }
}

async function* copies(blocks: AsyncIterable<Block>): AsyncGenerator<Buffer> {
  for await (const block of blocks) {
    yield Buffer.from(block.bytes);
    block.release();
  }
}

/** Always fed whole blocks, since its output depends on that. No nbWorkers ever: Node loses data with it (24.21, 26.10). */
async function* zstd(blocks: AsyncIterable<Block>, level: number): AsyncGenerator<Buffer> {
  const stream = zlib.createZstdCompress({
    params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
    chunkSize: blockSize,
  });
  const feed = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => void stream.once('close', () => resolve()));
    for await (const block of blocks) {
      const { promise, resolve } = Promise.withResolvers<void>();
      stream.write(block.bytes, () => resolve());
      await Promise.race([promise, closed]);
      block.release();
      if (stream.destroyed) return;
    }
    stream.end();
  };
  const feeding = feed().catch((error: unknown) => stream.destroy(error as Error));
  try {
    yield* stream as AsyncIterable<Buffer>;
  } finally {
    stream.destroy();
    await feeding;
  }
}
