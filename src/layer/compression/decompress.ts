import zlib from 'node:zlib';
import { LayerError } from '../error.ts';
import { compressionError, type Decompression, type OnPlain, type PlainMemory } from './decompression.ts';
import { openHandle } from './zlib-handle.ts';

export type CompressionFound = 'none' | 'gzip' | 'zstd';

/** What the first bytes said; undefined before they came. */
export interface Decompressor extends Decompression {
  readonly found: CompressionFound | undefined;
}

const enoughToTell = 6;

/**
 * A decompressor that looks at the first bytes, never at media types. gzip with several members and zstd with several
 * frames are taken, bytes after the last one are not. Portions come in `memory` where that is given and Node's inner objects work.
 * @throws LayerError UNSUPPORTED_COMPRESSION for bzip2 and xz
 */
export function createDecompressor(onPlain: OnPlain, memory?: PlainMemory): Decompressor {
  let start: Buffer = Buffer.alloc(0);
  let inner: Decompression | undefined;
  let found: CompressionFound | undefined;
  const open = (): Decompression => {
    found = detectCompression(start);
    inner =
      found === 'none' ? passThrough(onPlain) : (openHandle(found, onPlain, memory) ?? publicStream(found, onPlain));
    return inner;
  };
  /** Whether enough has come to tell what it is. */
  const gather = (chunk: Buffer): boolean => {
    const isEnough = start.length + chunk.length >= enoughToTell;
    if (start.length > 0) start = Buffer.concat([start, chunk]);
    else start = isEnough ? chunk : Buffer.from(chunk);
    return isEnough;
  };
  return {
    get found() {
      return found;
    },
    write(chunk) {
      if (inner !== undefined) return inner.write(chunk);
      return gather(chunk) ? open().write(start) : undefined;
    },
    *steps(chunk) {
      if (inner !== undefined) yield* inner.steps(chunk);
      else if (gather(chunk)) yield* open().steps(start);
    },
    end() {
      const begun = inner === undefined ? open().write(start) : undefined;
      return begun instanceof Promise ? begun.then(() => inner?.end()) : inner?.end();
    },
    close: () => inner?.close(),
  };
}

/** @throws LayerError UNSUPPORTED_COMPRESSION */
export function detectCompression(start: Buffer): CompressionFound {
  const hex = start.subarray(0, enoughToTell).toString('hex');
  if (hex.startsWith('1f8b')) return 'gzip';
  if (hex.startsWith('28b52ffd') || /^5.2a4d18/.test(hex)) return 'zstd'; // the second is a frame to be skipped
  if (hex.startsWith('425a68'))
    throw new LayerError('UNSUPPORTED_COMPRESSION', 'layers compressed with bzip2 are not taken');
  if (hex.startsWith('fd377a585a00'))
    throw new LayerError('UNSUPPORTED_COMPRESSION', 'layers compressed with xz are not taken');
  return 'none';
}

function passThrough(onPlain: OnPlain): Decompression {
  const write = (chunk: Buffer): void => {
    if (chunk.length > 0) onPlain(chunk);
  };
  return {
    write,
    *steps(chunk) {
      yield write(chunk);
    },
    end() {},
    close() {},
  };
}

/** A step of the public stream: it may grow a thousandfold before the next. */
const stepSize = 16 << 10;

/** The documented way, for a Node whose handles have changed: slower, and it takes another turn of the event loop. */
export function publicStream(kind: 'gzip' | 'zstd', onPlain: OnPlain): Decompression {
  const stream = kind === 'gzip' ? zlib.createGunzip() : zlib.createZstdDecompress();
  let failed: unknown;
  stream.on('data', (bytes: Buffer) => {
    if (failed !== undefined) return;
    try {
      onPlain(bytes);
    } catch (error) {
      failed = error;
      stream.destroy();
    }
  });
  stream.on('error', (error) => {
    failed ??= compressionError(kind, (error as NodeJS.ErrnoException).code, error.message);
  });
  const settle = (start: (done: () => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const done = (): void => {
        stream.off('close', done);
        if (failed === undefined) resolve();
        else reject(failed instanceof Error ? failed : new Error('decompression failed'));
      };
      stream.once('close', done);
      if (failed === undefined) start(done);
      else done();
    });
  const write = (chunk: Buffer): Promise<void> => settle((done) => stream.write(Buffer.from(chunk), done));
  return {
    write,
    *steps(chunk) {
      for (let at = 0; at < chunk.length; at += stepSize) yield write(chunk.subarray(at, at + stepSize));
    },
    end: () => settle((done) => void stream.once('end', done).end()),
    close: () => void stream.destroy(),
  };
}
