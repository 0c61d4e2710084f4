import type { TarEntryType } from '../entry.ts';
import { LayerError } from '../error.ts';
import { gnu, numberOf, rawOf, star, textOf, ustar } from './header.ts';
import { type PaxRecords, paxInteger, paxTime, xattrPrefix } from './pax.ts';
import type { SparseRun } from './sparse.ts';

/** An entry while its headers are still coming. */
export interface EntryDraft {
  readonly typeFlag: string;
  name: Buffer;
  type: TarEntryType;
  mode: number;
  uid: number;
  gid: number;
  /** As the header says, unchecked. */
  size: number;
  /** Bytes of content in the tar. */
  stored: number;
  mtimeNs: bigint;
  linkName?: Buffer;
  device?: { readonly major: number; readonly minor: number };
  xattrs?: Map<string, Buffer>;
  /** Size of a sparse file with its holes. */
  realSize?: number;
  sparseMapInContent: boolean;
  readonly runs: SparseRun[];
  readonly block: Buffer;
}

/** What stands before an entry's own header and counts for that entry alone. */
export interface Extensions {
  records?: PaxRecords;
  name?: Buffer;
  linkName?: Buffer;
}

/** Every type we take; what is not here is refused, never skipped. `S` is GNU's sparse file, `7` a contiguous one. */
const types: ReadonlyMap<string, TarEntryType> = new Map<string, TarEntryType>([
  ['\0', 'file'],
  ['0', 'file'],
  ['7', 'file'],
  ['S', 'file'],
  ['1', 'hardlink'],
  ['2', 'symlink'],
  ['3', 'character'],
  ['4', 'block'],
  ['5', 'directory'],
  ['6', 'fifo'],
]);

const largestId = 2 ** 32 - 2; // 2^32-1 means "unchanged" to chown(2)
const largestMajor = 2 ** 12 - 1;
const largestMinor = 2 ** 20 - 1;
const nanoseconds = 1_000_000_000n;
const largestTime = 2n ** 63n - 1n;
const largestSeconds = 9_223_372_036;

/** Reads what is needed to know how to go on: the type and the size. The block is only good during the call. */
export function readHeader(block: Buffer): EntryDraft {
  return {
    typeFlag: String.fromCharCode(block[ustar.type[0]] ?? 0),
    name: noBytes,
    type: 'file',
    mode: 0,
    uid: 0,
    gid: 0,
    size: numberOf(block, ustar.size),
    stored: 0,
    mtimeNs: 0n,
    sparseMapInContent: false,
    runs: [],
    block,
  };
}

const noBytes = Buffer.alloc(0);

/**
 * Fills the draft from its header, GNU long names and PAX records, the latter winning.
 * @throws LayerError INVALID_TAR for an unknown type and for numbers out of range
 */
export function finishEntry(
  draft: EntryDraft,
  records: ReadonlyMap<string, Buffer>,
  extensions: Extensions,
  warnings: string[],
): void {
  const { block } = draft;
  const type = types.get(draft.typeFlag);
  if (type === undefined) {
    throw new LayerError('INVALID_TAR', `unknown type of tar entry ${JSON.stringify(draft.typeFlag)}`);
  }
  const recorded = records.get('GNU.sparse.name') ?? records.get('path') ?? extensions.name;
  if (recorded?.includes(0)) throw new LayerError('INVALID_TAR', 'a name has a NUL in it');
  const name = recorded ?? nameOf(block);
  const slashed = name[name.length - 1] === 0x2f;
  draft.type = type === 'file' && slashed && draft.typeFlag !== 'S' ? 'directory' : type;
  draft.name = slashed ? withoutSlashes(name) : name;
  draft.mode = bounded('mode', numberOf(block, ustar.mode), 2 ** 32 - 1) & 0o7777;
  draft.uid = number('uid', records, block, ustar.uid, largestId);
  draft.gid = number('gid', records, block, ustar.gid, largestId);
  draft.mtimeNs = timeOf(records, block, warnings);
  draft.stored = storedSize(draft, records);
  if (type === 'symlink' || type === 'hardlink') {
    draft.linkName = records.get('linkpath') ?? extensions.linkName ?? textOf(block, ustar.linkName);
    if (draft.linkName.length === 0) throw new LayerError('INVALID_TAR', 'a link without a target');
  }
  if (type === 'character' || type === 'block') draft.device = deviceOf(block);
  if (records.size > 0) readXattrs(draft, records);
  if (records.size > 0 || draft.typeFlag === 'S') readSparse(draft, records);
}

/** Content sizes of what has no content are ignored, as all Go tools do: no reader may see other entries than they. */
function storedSize(draft: EntryDraft, records: ReadonlyMap<string, Buffer>): number {
  const size = bounded('size', paxNumber('size', records) ?? draft.size, Number.MAX_SAFE_INTEGER);
  return draft.type === 'file' || (draft.type === 'directory' && draft.typeFlag !== '5') ? size : 0;
}

function nameOf(block: Buffer): Buffer {
  const name = textOf(block, ustar.name);
  if (block[ustar.prefix[0]] === 0) return name;
  if (rawOf(block, ustar.magic) !== 'ustar\0') return name; // GNU and old tars have other things there
  const prefix = textOf(block, rawOf(block, star.trailer) === 'tar\0' ? star.prefix : ustar.prefix);
  return prefix.length === 0 ? name : Buffer.concat([prefix, slash, name]);
}

const slash = Buffer.from('/');

function withoutSlashes(name: Buffer): Buffer {
  let end = name.length;
  while (end > 1 && name[end - 1] === 0x2f) end--;
  return name.subarray(0, end);
}

function number(
  key: 'uid' | 'gid',
  records: ReadonlyMap<string, Buffer>,
  block: Buffer,
  field: readonly [number, number],
  largest: number,
): number {
  return bounded(key, paxNumber(key, records) ?? numberOf(block, field), largest);
}

function paxNumber(key: string, records: ReadonlyMap<string, Buffer>): number | undefined {
  const value = records.get(key);
  return value === undefined ? undefined : Number(paxInteger(key, value));
}

/** Wrapping such a number silently gives a file to somebody else (CVE-2024-40635). */
function bounded(what: string, value: number, largest: number): number {
  if (value < 0 || value > largest) throw new LayerError('INVALID_TAR', `${what} ${value} is out of range`);
  return value;
}

function timeOf(records: ReadonlyMap<string, Buffer>, block: Buffer, warnings: string[]): bigint {
  const record = records.get('mtime');
  if (record === undefined) {
    const seconds = numberOf(block, ustar.mtime);
    if (Math.abs(seconds) <= largestSeconds) return BigInt(seconds) * nanoseconds;
    warnings.push(clamped);
    return seconds < 0 ? -largestTime : largestTime;
  }
  const time = paxTime('mtime', record);
  if (time >= -largestTime && time <= largestTime) return time;
  warnings.push(clamped);
  return time < 0n ? -largestTime : largestTime;
}

const clamped = 'a modification time is out of range and was brought into it';

function deviceOf(block: Buffer): { major: number; minor: number } {
  return {
    major: bounded('device number', numberOf(block, ustar.major), largestMajor),
    minor: bounded('device number', numberOf(block, ustar.minor), largestMinor),
  };
}

function readXattrs(draft: EntryDraft, records: ReadonlyMap<string, Buffer>): void {
  for (const [key, value] of records) {
    if (!key.startsWith(xattrPrefix)) continue;
    draft.xattrs ??= new Map();
    draft.xattrs.set(key.slice(xattrPrefix.length), value);
  }
}

function readSparse(draft: EntryDraft, records: ReadonlyMap<string, Buffer>): void {
  if (draft.typeFlag === 'S') {
    draft.realSize = bounded('size', numberOf(draft.block, gnu.realSize), Number.MAX_SAFE_INTEGER);
    return;
  }
  const size = paxNumber('GNU.sparse.realsize', records) ?? paxNumber('GNU.sparse.size', records);
  if (size === undefined) return;
  if (draft.type !== 'file') throw new LayerError('INVALID_TAR', 'a sparse entry that is no file');
  draft.realSize = bounded('size', size, Number.MAX_SAFE_INTEGER);
  const major = paxNumber('GNU.sparse.major', records) ?? 0;
  const minor = paxNumber('GNU.sparse.minor', records) ?? 0;
  if (major > 1 || (major === 1 && minor > 0)) throw new LayerError('INVALID_TAR', 'unknown form of a sparse file');
  draft.sparseMapInContent = major === 1;
}
