import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { compressLayer } from '../../src/layer/index.ts';
import { createDecompressor } from '../../src/layer/index.ts';
import { publicStream } from '../../src/layer/compression/decompress.ts';
import { digestOf } from '../../src/oci/index.ts';

const text = Buffer.concat([Buffer.alloc(6_000_000, 'some text '), randomBytes(100_000), Buffer.alloc(3_700_000)]);

function cut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

async function pack(pieces: Buffer[], compression: 'none' | 'gzip' | 'zstd'): Promise<Buffer> {
  const { stream, result } = compressLayer(pieces, { compression });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const packed = Buffer.concat(chunks);
  const plain = Buffer.concat(pieces);
  expect(await result).toEqual({
    digest: digestOf(packed),
    size: packed.length,
    diffId: digestOf(plain),
    diffSize: plain.length,
  });
  return packed;
}

const forms = ['none', 'gzip', 'zstd'] as const;

describe.each(forms)('%s', (form) => {
  it('gives the same bytes however the input is cut', async () => {
    const whole = await pack([text], form);
    expect((await pack(cut(text, 100_003), form)).equals(whole)).toBe(true);
    expect((await pack(cut(text, 1 << 20), form)).equals(whole)).toBe(true);
  });

  it.each([0, 1, 1 << 20, (1 << 20) + 1, 4 << 20, (4 << 20) + 1])('comes back whole: %i bytes', async (size) => {
    const input = text.subarray(0, size);
    const packed = await pack(input.length === 0 ? [] : [input], form);
    const plain: Buffer[] = [];
    const decompressor = createDecompressor((bytes) => void plain.push(Buffer.from(bytes)));
    for (const piece of cut(packed, 5000)) await decompressor.write(piece);
    await decompressor.end();
    decompressor.close();
    expect(Buffer.concat(plain).equals(input)).toBe(true);
  });

  it('fails as its input does', async () => {
    const failing = (function* () {
      yield Buffer.from('start');
      throw new Error('source broke');
    })();
    const { stream, result } = compressLayer(failing, { compression: form });
    await expect(stream.toArray()).rejects.toThrow('source broke');
    await expect(result).rejects.toThrow('source broke');
  });
});

describe('gzip members', () => {
  it('names no time and no system', async () => {
    expect((await pack([text], 'gzip')).subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff');
  });

  it('is read by gzip(1) and by zlib', async () => {
    const packed = await pack([text], 'gzip');
    execFileSync('gzip', ['-t'], { input: packed });
    expect(zlib.gunzipSync(packed).equals(text)).toBe(true);
  });
});

describe('zstd frames', () => {
  it('are read by zstd(1) and by Node, in one go', async () => {
    const packed = await pack([text], 'zstd');
    execFileSync('zstd', ['-tq', '-'], { input: packed });
    expect(zlib.zstdDecompressSync(packed).equals(text)).toBe(true);
  });

  it('tell the size of their content, 4 MiB each but for the last', async () => {
    const packed = await pack([text], 'zstd');
    // RFC 8878, 3.1.1: magic, a descriptor that announces four bytes of content size, the window, the size
    expect(packed.subarray(0, 5).toString('hex')).toBe('28b52ffd80');
    expect(packed.readUInt32LE(6)).toBe(4 << 20);
  });

  it('of bytes that do not compress take hardly more than these', async () => {
    const noise = randomBytes(9 << 20);
    const packed = await pack([noise], 'zstd');
    expect(packed.length).toBeLessThan(noise.length * 1.001);
    expect(zlib.zstdDecompressSync(packed).equals(noise)).toBe(true);
  });
});

describe('a small chunk that holds much', () => {
  it.each(['gzip', 'zstd'] as const)('%s comes out in portions, which add up to the whole', async (kind) => {
    const plain = Buffer.alloc(20 << 20, 'again ');
    const packed = kind === 'gzip' ? zlib.gzipSync(plain) : zlib.zstdCompressSync(plain);
    const portions: number[] = [];
    const pieces: Buffer[] = [];
    const decompressor = createDecompressor((bytes) => void pieces.push(Buffer.from(bytes)));
    for (const step of decompressor.steps(packed)) {
      await step;
      portions.push(pieces.reduce((sum, { length }) => sum + length, 0));
    }
    await decompressor.end();
    decompressor.close();
    expect(Buffer.concat(pieces).equals(plain)).toBe(true);
    const largest = Math.max(...portions.map((sum, at) => sum - (portions[at - 1] ?? 0)));
    expect(largest).toBeLessThanOrEqual(1 << 20);
    expect(portions.length).toBeGreaterThanOrEqual(20);
  });

  it('that is none, or too short to tell, has no portions yet', async () => {
    const packed = zlib.gzipSync(text);
    const pieces: Buffer[] = [];
    const decompressor = createDecompressor((bytes) => void pieces.push(Buffer.from(bytes)));
    expect([...decompressor.steps(packed.subarray(0, 3))]).toEqual([]);
    for (const step of decompressor.steps(packed.subarray(3))) await step;
    await decompressor.end();
    decompressor.close();
    expect(Buffer.concat(pieces).equals(text)).toBe(true);
  });
});

describe('the documented way to decompress, for a Node whose inner objects changed', () => {
  it.each(['gzip', 'zstd'] as const)('%s comes back whole', async (kind) => {
    const packed = kind === 'gzip' ? zlib.gzipSync(text) : zlib.zstdCompressSync(text);
    const plain: Buffer[] = [];
    const stream = publicStream(kind, (bytes) => void plain.push(Buffer.from(bytes)));
    for (const piece of cut(packed, 9000)) await stream.write(piece);
    await stream.end();
    expect(Buffer.concat(plain).equals(text)).toBe(true);
  });

  it.each(['gzip', 'zstd'] as const)('%s that is cut fails', async (kind) => {
    const packed = kind === 'gzip' ? zlib.gzipSync(text) : zlib.zstdCompressSync(text);
    const stream = publicStream(kind, () => {});
    await stream.write(packed.subarray(0, -8));
    await expect(stream.end()).rejects.toMatchObject({ code: 'TRUNCATED' });
  });
});
