import fs from 'node:fs';
import zlib from 'node:zlib';
import { createDecompressor } from '../compression/decompress.ts';
import { LayerError } from '../error.ts';
import { writeFully } from '../../system/index.ts';

/**
 * A layer's tar without its content. The file is the magic, then zstd frames whose plain bytes are records:
 *
 *     'H' u32 length, bytes                       tar bytes verbatim: headers, PAX records, the end mark
 *     'P' u32 length, path bytes, u64 size        `size` bytes of that file's content, then zeros up to a whole block
 *     'E' u64 total, 32 bytes                     the end: the size of the tar and the sha256 of it (its diffID)
 *
 * All numbers little-endian; paths relative to the snapshot's folder.
 */
const magic = Buffer.from('slipway-headers\x001');
const frameSize = 1 << 20;
const largestRecord = 16 << 20;

/** Writes a header list; nobody may read it before `finish` has returned, since only then it is on the disk. */
export class HeaderListWriter {
  readonly #fd: number;
  readonly #frame = Buffer.allocUnsafeSlow(frameSize);
  #filled = 0;

  constructor(path: string) {
    this.#fd = fs.openSync(path, 'w', 0o600);
    writeFully(this.#fd, magic);
  }

  header(bytes: Buffer): void {
    this.#put('H', bytes);
  }

  payload(path: Buffer, size: number): void {
    this.#put('P', path);
    this.#append(u64(size));
  }

  /** Ends the list. It reaches the disk with the snapshot that it belongs to, by whoever syncs that. */
  finish(size: number, sha256: Buffer): void {
    this.#append(Buffer.from('E'));
    this.#append(u64(size));
    this.#append(sha256);
    this.#flush();
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #put(kind: 'H' | 'P', bytes: Buffer): void {
    const head = Buffer.allocUnsafe(5);
    head.write(kind, 0, 'latin1');
    head.writeUInt32LE(bytes.length, 1);
    this.#append(head);
    this.#append(bytes);
  }

  #append(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const taken = bytes.copy(this.#frame, this.#filled, at);
      at += taken;
      this.#filled += taken;
      if (this.#filled === frameSize) this.#flush();
    }
  }

  /** Headers are mostly zeros: the fastest level shrinks them to a fiftieth. */
  #flush(): void {
    const params = { [zlib.constants.ZSTD_c_compressionLevel]: 1 };
    writeFully(this.#fd, zlib.zstdCompressSync(this.#frame.subarray(0, this.#filled), { params }));
    this.#filled = 0;
  }
}

export type HeaderRecord =
  | { readonly kind: 'header'; readonly bytes: Buffer }
  | { readonly kind: 'payload'; readonly path: Buffer; readonly size: number }
  | { readonly kind: 'end'; readonly size: number; readonly sha256: Buffer };

/**
 * Reads a header list, one frame of it in memory at a time.
 * @throws LayerError INVALID_HEADER_LIST
 */
export function* readHeaderList(path: string): Generator<HeaderRecord> {
  const fd = fs.openSync(path, 'r');
  let rest: Buffer = Buffer.alloc(0);
  const plain: Buffer[] = [];
  const decompressor = createDecompressor((bytes) => void plain.push(Buffer.from(bytes)));
  try {
    const start = Buffer.alloc(magic.length);
    if (fs.readSync(fd, start) !== magic.length || !start.equals(magic))
      throw invalid('no header list of this version');
    const chunk = Buffer.allocUnsafeSlow(64 << 10);
    for (let got = fs.readSync(fd, chunk); got > 0; got = fs.readSync(fd, chunk)) {
      if (decompressor.write(chunk.subarray(0, got)) instanceof Promise)
        throw invalid('zstd does not work as expected here');
      rest = Buffer.concat([rest, ...plain.splice(0)]);
      let record = takeRecord(rest);
      for (; record !== undefined; record = takeRecord(rest)) {
        rest = rest.subarray(record.length);
        yield record.value;
        if (record.value.kind === 'end') return;
      }
    }
    throw invalid('it ends too early');
  } finally {
    decompressor.close();
    fs.closeSync(fd);
  }
}

function takeRecord(bytes: Buffer): { value: HeaderRecord; length: number } | undefined {
  if (bytes.length < 5) return undefined;
  const kind = String.fromCharCode(bytes[0] ?? 0);
  if (kind === 'E') {
    if (bytes.length < 41) return undefined;
    const value = { kind: 'end', size: Number(bytes.readBigUInt64LE(1)), sha256: bytes.subarray(9, 41) } as const;
    return { value, length: 41 };
  }
  if (kind !== 'H' && kind !== 'P') throw invalid('unknown record');
  const length = bytes.readUInt32LE(1);
  if (length > largestRecord) throw invalid('a record is too long');
  const end = 5 + length;
  if (bytes.length < end + (kind === 'P' ? 8 : 0)) return undefined;
  const body = bytes.subarray(5, end);
  if (kind === 'H') return { value: { kind: 'header', bytes: body }, length: end };
  return { value: { kind: 'payload', path: body, size: Number(bytes.readBigUInt64LE(end)) }, length: end + 8 };
}

function u64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function invalid(why: string): LayerError {
  return new LayerError('INVALID_HEADER_LIST', `the list of a layer's headers cannot be read: ${why}`);
}
