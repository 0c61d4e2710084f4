import zlib from 'node:zlib';
import { LayerError } from '../error.ts';
import { compressionError, type Decompression, type OnPlain, type PlainMemory } from './decompression.ts';

/**
 * Node's own object below a zlib stream. Undocumented, so a self-test guards it; driven directly with one fixed output
 * buffer it inflates at twice the speed of the stream and in flat memory.
 */
interface ZlibHandle {
  writeSync(
    flush: number,
    input: Buffer,
    inputOffset: number,
    inputLength: number,
    output: Buffer,
    outputOffset: number,
    outputLength: number,
  ): void;
  onerror: (message: string, errno: number, code: string) => void;
}

interface StreamWithHandle {
  readonly _handle: ZlibHandle;
  /** [bytes of output left, bytes of input left] after a call. */
  readonly _writeState: Uint32Array;
  close(): void;
}

/** Bytes of a portion, where no other memory is given for it. */
const outputSize = 1 << 20;
// Functions: zlib is not loaded by commands that only might compress.
const flushFlags = () => ({
  gzip: { go: zlib.constants.Z_NO_FLUSH, end: zlib.constants.Z_FINISH },
  zstd: { go: zlib.constants.ZSTD_e_continue, end: zlib.constants.ZSTD_e_end },
});

/** zstd windows above 128 MiB are refused: each would be allocated for the asking. */
const zstdOptions = (): zlib.ZstdOptions => ({ params: { [zlib.constants.ZSTD_d_windowLogMax]: 27 } });

const trusted = new Map<'gzip' | 'zstd', boolean>();

/** A decompressor over Node's handle, or undefined where that does not work as expected. */
export function openHandle(kind: 'gzip' | 'zstd', onPlain: OnPlain, memory?: PlainMemory): Decompression | undefined {
  let works = trusted.get(kind);
  if (works === undefined) {
    works = selfTest(kind);
    trusted.set(kind, works);
  }
  const own = reused(outputSize);
  return works ? drive(kind, onPlain, () => memory?.() ?? own()) : undefined;
}

function reused(size: number): () => Buffer {
  let output: Buffer | undefined;
  return () => (output ??= Buffer.allocUnsafeSlow(size));
}

function drive(kind: 'gzip' | 'zstd', onPlain: OnPlain, memory: () => Buffer): Decompression {
  const stream = (kind === 'gzip'
    ? zlib.createGunzip()
    : zlib.createZstdDecompress(zstdOptions())) as unknown as StreamWithHandle;
  const { _handle: handle, _writeState: state } = stream;
  const flags = flushFlags()[kind];
  let failure: LayerError | undefined;
  handle.onerror = (message, _errno, code) => {
    failure = compressionError(kind, code, message);
  };
  /** One call; returns how much input is left. */
  const call = (flush: number, input: Buffer, offset: number): number => {
    const output = memory();
    const size = output.length;
    handle.writeSync(flush, input, offset, input.length - offset, output, 0, size);
    if (failure !== undefined) throw failure;
    const [free = 0, left = 0] = state;
    if (free < size) onPlain(output.subarray(0, size - free));
    return left;
  };
  /** One portion; returns how much of the chunk is left, undefined where all of it has come out. */
  const step = (chunk: Buffer, left: number): number | undefined => {
    if (left === 0 && state[0] !== 0) return undefined;
    const after = call(flags.go, chunk, chunk.length - left);
    if (state[0] !== 0 && after > 0 && after === left) {
      throw new LayerError('INVALID_COMPRESSION', `bytes after the end of the ${kind} data`);
    }
    return after;
  };
  return {
    write(chunk) {
      for (let left = step(chunk, chunk.length); left !== undefined; ) left = step(chunk, left);
    },
    *steps(chunk) {
      for (let left = step(chunk, chunk.length); left !== undefined; left = step(chunk, left)) yield;
    },
    end: () => void call(flags.end, nothing, 0),
    close: () => stream.close(),
  };
}

const nothing = Buffer.alloc(0);

/** Inflates a small known text with a tiny buffer, and expects a cut one to fail. */
function selfTest(kind: 'gzip' | 'zstd'): boolean {
  const plain = Buffer.alloc(5000, 'slipway ');
  const packed = kind === 'gzip' ? zlib.gzipSync(plain) : zlib.zstdCompressSync(plain);
  try {
    return inflate(kind, packed).equals(plain) && !succeeds(kind, packed.subarray(0, packed.length - 6));
  } catch {
    return false;
  }
}

function inflate(kind: 'gzip' | 'zstd', packed: Buffer): Buffer {
  const pieces: Buffer[] = [];
  const handle = drive(kind, (bytes) => void pieces.push(Buffer.from(bytes)), reused(1024));
  try {
    void handle.write(packed);
    void handle.end();
    return Buffer.concat(pieces);
  } finally {
    handle.close();
  }
}

function succeeds(kind: 'gzip' | 'zstd', packed: Buffer): boolean {
  try {
    inflate(kind, packed);
    return true;
  } catch {
    return false;
  }
}
