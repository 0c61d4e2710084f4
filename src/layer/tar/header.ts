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
  const end = block.indexOf(0, offset);
  return Buffer.from(block.subarray(offset, end === -1 || end > offset + length ? offset + length : end));
}

/** How a text field starts, as latin1, without copying. */
export function rawOf(block: Buffer, [offset, length]: Field): string {
  return block.toString('latin1', offset, offset + length);
}

/**
 * A number: octal digits with blanks or NULs around, or base-256 (first byte 0x80 or above).
 * Zero where the field is empty. Only `mtime` may be negative.
 * @throws LayerError INVALID_TAR
 */
export function numberOf(block: Buffer, field: Field): bigint {
  const [offset, length] = field;
  return (block[offset] ?? 0) & 0x80 ? base256(block.subarray(offset, offset + length)) : octal(block, field);
}

function octal(block: Buffer, [offset, length]: Field): bigint {
  let at = offset;
  let end = offset + length;
  while (at < end && isBlank(block[at])) at++;
  while (end > at && isBlank(block[end - 1])) end--;
  let value = 0;
  for (; at < end; at++) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7)
      throw new LayerError('INVALID_TAR', 'tar header: a number has a character that is no octal digit');
    value = value * 8 + digit; // twelve digits at most: exact
  }
  return BigInt(value);
}

function isBlank(byte: number | undefined): boolean {
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
  let stated: bigint;
  try {
    stated = numberOf(block, ustar.checksum);
  } catch {
    return false;
  }
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let at = 0; at < blockSize; at++) {
    if (at === ustar.checksum[0]) at += ustar.checksum[1];
    const byte = block[at] ?? 0;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return stated === BigInt(unsigned) || stated === BigInt(signed);
}

export function isZeroBlock(block: Buffer): boolean {
  return block[0] === 0 && block.equals(zeroBlock);
}

const zeroBlock = Buffer.alloc(blockSize);

/** Bytes of padding after `size` bytes of content. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}
