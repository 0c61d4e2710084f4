import { LayerError } from '../error.ts';
import type { TarEntry, TarEntryType } from '../entry.ts';
import { blockSize, type Field, paddingOf, ustar } from './header.ts';
import { printPax, xattrPrefix } from './pax.ts';

const typeFlags: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/** Two zero blocks, and nothing after them: no padding to a record, which tools do differently. */
export const endOfArchive: Buffer = Buffer.alloc(2 * blockSize);

const paxHeaderName = Buffer.from('PaxHeaders.0/entry');
const nanoseconds = 1_000_000_000n;

/**
 * The headers of one entry in canonical form: the same entry gives the same bytes everywhere, always. ustar where it can
 * say it all, else one PAX header of a fixed name with sorted records. Times are whole seconds, rounded down; no access or change times,
 * no user or group names; a directory's name ends in a slash. Names that are not ASCII go into PAX as raw bytes, without `hdrcharset`,
 * as Go's tar does.
 * @throws LayerError INVALID_TAR for what no tar can say
 */
export function encodeHeader(entry: TarEntry): Buffer {
  const records = new Map<string, Buffer>();
  const block = Buffer.alloc(blockSize);
  const name = entry.type === 'directory' ? Buffer.concat([entry.name, slash]) : entry.name;
  putName(block, name, records);
  putNumber(block, ustar.mode, BigInt(entry.mode & 0o7777));
  putNumberOrRecord(block, ustar.uid, BigInt(entry.uid), 'uid', records);
  putNumberOrRecord(block, ustar.gid, BigInt(entry.gid), 'gid', records);
  putNumberOrRecord(block, ustar.size, BigInt(entry.type === 'file' ? entry.size : 0), 'size', records);
  putNumberOrRecord(block, ustar.mtime, wholeSeconds(entry.mtimeNs), 'mtime', records);
  block.write(typeFlags[entry.type], ustar.type[0], 'latin1');
  if (entry.linkName !== undefined) putText(block, ustar.linkName, entry.linkName, 'linkpath', records);
  if (entry.type === 'character' || entry.type === 'block') {
    putNumber(block, ustar.major, BigInt(entry.device?.major ?? 0));
    putNumber(block, ustar.minor, BigInt(entry.device?.minor ?? 0));
  }
  for (const [key, value] of entry.xattrs ?? []) records.set(xattrPrefix + key, value);
  seal(block);
  return records.size === 0 ? block : Buffer.concat([paxHeader(printPax(records)), block]);
}

/** Zero bytes that follow `size` bytes of content. */
export function paddingFor(size: number): Buffer {
  return endOfArchive.subarray(0, paddingOf(size));
}

/** Seconds since 1970, rounded down. */
export function wholeSeconds(ns: bigint): bigint {
  const seconds = ns / nanoseconds;
  return ns < 0n && seconds * nanoseconds !== ns ? seconds - 1n : seconds;
}

const slash = Buffer.from('/');

function paxHeader(body: Buffer): Buffer {
  const block = Buffer.alloc(blockSize);
  paxHeaderName.copy(block, ustar.name[0]);
  putNumber(block, ustar.mode, 0o644n);
  putNumber(block, ustar.uid, 0n);
  putNumber(block, ustar.gid, 0n);
  putNumber(block, ustar.size, BigInt(body.length));
  putNumber(block, ustar.mtime, 0n);
  block.write('x', ustar.type[0], 'latin1');
  seal(block);
  return Buffer.concat([block, body, paddingFor(body.length)]);
}

/** Writes magic, version and, last, the checksum over everything. */
function seal(block: Buffer): void {
  block.write('ustar\x0000', ustar.magic[0], 'latin1');
  block.fill(0x20, ustar.checksum[0], ustar.checksum[0] + ustar.checksum[1]);
  let sum = 0;
  for (let at = 0; at < blockSize; at++) sum += block[at] ?? 0;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, ustar.checksum[0], 'latin1');
}

function putName(block: Buffer, name: Buffer, records: Map<string, Buffer>): void {
  const split = name.length > ustar.name[1] && isAscii(name) ? splitName(name) : undefined;
  if (split === undefined) return putText(block, ustar.name, name, 'path', records);
  name.copy(block, ustar.prefix[0], 0, split);
  name.copy(block, ustar.name[0], split + 1);
}

/** The slash at which a long name parts into prefix and name; the last that will do. */
function splitName(name: Buffer): number | undefined {
  const from = Math.min(ustar.prefix[1], name.length - 2);
  const split = name.lastIndexOf(0x2f, from);
  return split > 0 && name.length - split - 1 <= ustar.name[1] ? split : undefined;
}

function putText(
  block: Buffer,
  [offset, length]: Field,
  text: Buffer,
  key: string,
  records: Map<string, Buffer>,
): void {
  if (text.includes(0)) throw new LayerError('INVALID_TAR', `a ${key} with a NUL cannot be written`);
  if (text.length > length || !isAscii(text)) {
    records.set(key, text);
    const readable = Buffer.from(text.filter((byte) => byte < 0x80));
    readable.copy(block, offset, 0, length); // for readers that know no PAX
  } else {
    text.copy(block, offset);
  }
}

function putNumberOrRecord(
  block: Buffer,
  field: Field,
  value: bigint,
  key: string,
  records: Map<string, Buffer>,
): void {
  const fits = value >= 0n && value < 8n ** BigInt(field[1] - 1);
  if (!fits) records.set(key, Buffer.from(String(value)));
  putNumber(block, field, fits ? value : 0n);
}

function putNumber(block: Buffer, [offset, length]: Field, value: bigint): void {
  block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
}

function isAscii(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte > 0x7f) return false;
  return true;
}
