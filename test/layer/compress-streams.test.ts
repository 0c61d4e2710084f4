import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';

/** A Node whose zlib streams keep their output elsewhere: seen once, by the first use of a process. */
const changed = { destroy: () => {} } as unknown as zlib.ZstdCompress;
const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => `line ${at % 977}`).join('\n'));
const params = { [zlib.constants.ZSTD_c_compressionLevel]: 3 };

describe('where Node is not as expected, its own memory takes what is compressed', () => {
  it('and the bytes are those of its documented functions', async () => {
    const real = zlib.createZstdCompress;
    const makers = [() => changed];
    const asked: (number | undefined)[] = [];
    const value = (options: zlib.ZstdOptions) => {
      asked.push(options.chunkSize);
      return (makers.pop() ?? real)(options);
    };
    Object.defineProperty(zlib, 'createZstdCompress', { value, configurable: true, enumerable: true });
    const { compressLayer } = await import('../../src/layer/index.ts'); // fresh: no stream has been made in it
    const packed = async () => Buffer.concat(await compressLayer([bytes], { compression: 'zstd' }).stream.toArray());
    const expected = zlib.zstdCompressSync(bytes, { params, pledgedSrcSize: bytes.length });
    expect((await packed()).equals(expected)).toBe(true);
    expect((await packed()).equals(expected)).toBe(true);
    const whole = asked[1];
    expect(whole).toBeGreaterThan(4 << 20);
    expect(asked).toEqual([1024, whole, whole]); // the one that was found wanting, and those of Node's own memory
    Object.defineProperty(zlib, 'createZstdCompress', { value: real, configurable: true, enumerable: true });
  });
});
