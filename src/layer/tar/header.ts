import { LayerError } from '../error.ts';

/** A tar block: header fields and content come in multiples of this many bytes. */
export const blockSize = 512;

/** Offset and length of each field of the POSIX ustar header (pax(1), "ustar Interchange Format"). */
export const ustar = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkName: [157, 100],
  magic: [257, 6],
  version: [263, 2],
  userName: [265, 32],
  groupName: [297, 32],
  major: [329, 8],
  minor: [337, 8],
  prefix: [345, 155],
} as const satisfies Record<string, Field>;

/** What GNU tar keeps where ustar has the prefix (tar(5), "GNU Tar Archives"). */
export const gnu = {
  sparse: [386, 96],
  isExtended: [482, 1],
  realSize: [483, 12],
} as const satisfies Record<string, Field>;

/** Schilling's tar: a shorter prefix, told by a trailer. */
export const star = { prefix: [345, 131], trailer: [508, 4] } as const satisfies Record<string, Field>;

export type Field = readonly [offset: number, length: number];

/** A copy of a text field's bytes, up to its first NUL. */
export function textOf(block: Buffer, [offset, length]: Field): Buffer {
  let end = offset;
  while (end < offset + length && block[end] !== 0) end++;
  const text = Buffer.allocUnsafe(end - offset);
  block.copy(text, 0, offset, end);
  return text;
}

/** How a text field starts, as latin1, without copying. */
export function rawOf(block: Buffer, [offset, length]: Field): string {
  return block.toString('latin1', offset, offset + length);
}

/**
 * A number: octal digits with blanks or NULs around, or base-256 (first byte 0x80 or above), which is rounded beyond 2^53: out of range
 * for every field. Zero where the field is empty. Only `mtime` may be negative.
 * @throws LayerError INVALID_TAR
 */
export function numberOf(block: Buffer, field: Field): number {
  const offset = field[0];
  const length = field[1];
  return (block[offset] ?? 0) & 0x80
    ? Number(base256(block.subarray(offset, offset + length)))
    : octal(block, offset, offset + length);
}

/** Twelve digits at most: exact. */
function octal(block: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(block[at] as number)) at++;
  let value = 0;
  for (; at < end; at++) {
    const digit = (block[at] as number) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; at < end; at++) {
    if (!isBlank(block[at] as number))
      throw new LayerError('INVALID_TAR', 'tar header: a number has a character that is no octal digit');
  }
  return value;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0;
}

/** Two's complement over all but the first bit. */
function base256(bytes: Buffer): bigint {
  const negative = ((bytes[0] ?? 0) & 0x40) !== 0;
  let value = BigInt((bytes[0] ?? 0) & (negative ? 0x7f : 0x3f));
  for (const byte of bytes.subarray(1)) value = (value << 8n) | BigInt(byte);
  return negative ? value - (1n << BigInt(bytes.length * 8 - 1)) : value;
}

/** Whether the sum over the header, its own field counted as blanks, is as stated; bytes unsigned, or signed as old tars did. */
export function hasValidChecksum(block: Buffer): boolean {
  let stated: number;
  try {
    stated = numberOf(block, ustar.checksum);
  } catch {
    return false;
  }
  const unsigned = sumOf(block, 0, blockSize) - sumOf(block, checksumStart, checksumEnd) + blanks;
  return (
    stated === unsigned ||
    stated === unsigned - 256 * (negative(block, 0, blockSize) - negative(block, checksumStart, checksumEnd))
  );
}

const [checksumStart, checksumLength] = ustar.checksum;
const checksumEnd = checksumStart + checksumLength;
const blanks = checksumLength * 0x20;

function sumOf(block: Buffer, start: number, end: number): number {
  let sum = 0;
  for (let at = start; at < end; at++) sum += block[at] as number;
  return sum;
}

/** How many bytes are below zero where bytes have a sign. */
function negative(block: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if ((block[at] as number) > 127) count++;
  return count;
}

export function isZeroBlock(block: Buffer): boolean {
  return block[0] === 0 && block.equals(zeroBlock);
}

const zeroBlock = Buffer.alloc(blockSize);

/** Bytes of padding after `size` bytes of content. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}
