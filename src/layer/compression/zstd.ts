import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Block } from './blocks.ts';
import { inOrder } from './in-order.ts';

// Made at each use: zlib is not loaded by commands that only might compress.
const compress = (bytes: Buffer, options: zlib.ZstdOptions): Promise<Buffer> =>
  promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdCompress)(bytes, options);

/**
 * What one frame holds. A frame knows nothing of those before it: this size costs 0.4 % on mixed files and 2 % on a Debian (1 MiB: 8 %),
 * and as many as are at work at once take some 10 MB of memory each.
 */
export const zstdFrameSize = 4 << 20;

/** The most that a frame's worth of bytes that do not compress can take (ZSTD_COMPRESSBOUND). */
const outputSize = zstdFrameSize + (zstdFrameSize >> 8);

/**
 * zstd frames (RFC 8878), one after the other, that are made side by side on Node's thread pool and tell their sizes. No nbWorkers ever:
 * Node loses data with it (24.21, 26.10).
 */
export function zstd(blocks: AsyncIterable<Block>, level: number): AsyncGenerator<Buffer> {
  return inOrder(blocks, {
    atOnce: 2,
    outputSize,
    async work(block) {
      const packed = await compress(block.bytes, {
        params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
        chunkSize: outputSize,
        pledgedSrcSize: block.bytes.length,
      });
      block.release();
      return packed;
    },
  });
}
