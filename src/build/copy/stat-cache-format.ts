import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { FileStats } from '../../system/index.ts';

/** Which folder and device a cache is of. */
export interface CacheSubject {
  /** Absolute path. */
  readonly root: string;
  readonly device: number;
}

export interface CacheHeader extends CacheSubject {
  /** Names the run of the kernel in which it was written. */
  readonly boot: string;
  /** When that run began, milliseconds since 1970 by the clock of then. */
  readonly bootedAt: number;
  /** Days since 1970: the last use of what is in use. */
  readonly day: number;
}

export interface CachedDigest {
  readonly stats: FileStats;
  readonly digest: string;
}

// The file: a header of 160 bytes, then one record per inode, newest first; numbers are little-endian.
const magic = 'slipstat1';
const headerLength = 160;
const header = { magic: 0, checksum: 12, count: 16, device: 24, bootedAt: 32, root: 40, boot: 104 } as const;
/** A record is 12 numbers of 8 bytes; the last 4 hold the digest. */
const fields = 12;
const recordLength = fields * 8;
const field = { ino: 0, size: 1, mtimeSec: 2, mtimeNsec: 3, ctimeSec: 4, ctimeNsec: 5, mode: 6, day: 7 } as const;
const digestOffset = 64;
/** 24 MB, or five times the largest contexts that are met. */
const mostRecords = 250_000;
const keptDays = 30;

/** What a cache file holds, read where it lies: nothing is decoded but what is asked for. */
export class CachedDigests {
  readonly boot: string;
  readonly bootedAt: number;
  readonly #numbers: Float64Array;
  readonly #bytes: Buffer;
  readonly #places = new Map<number, number>();
  readonly #used = new Set<number>();

  constructor(body: Buffer, head: { readonly boot: string; readonly bootedAt: number }) {
    this.#bytes = body;
    this.#numbers = new Float64Array(body.buffer, body.byteOffset, body.length / 8);
    this.boot = head.boot;
    this.bootedAt = head.bootedAt;
    for (let place = 0; place < this.#numbers.length; place += fields) {
      this.#places.set(this.#number(place, field.ino), place);
    }
  }

  get(stats: FileStats): string | undefined {
    const place = this.#places.get(stats.ino);
    if (place === undefined) return undefined;
    const same =
      this.#number(place, field.ctimeNsec) === stats.ctimeNsec &&
      this.#number(place, field.ctimeSec) === stats.ctimeSec &&
      this.#number(place, field.mtimeNsec) === stats.mtimeNsec &&
      this.#number(place, field.mtimeSec) === stats.mtimeSec &&
      this.#number(place, field.size) === stats.size &&
      this.#number(place, field.mode) === stats.mode;
    if (!same) return undefined;
    this.#used.add(place);
    const at = place * 8 + digestOffset;
    return this.#bytes.toString('hex', at, at + 32);
  }

  /** Records that are worth keeping beside new ones, those last used first. */
  kept(without: ReadonlySet<number>, day: number): Buffer[] {
    const places = [...this.#places]
      .filter(([ino]) => !without.has(ino))
      .map(([, place]) => ({ place, day: this.#used.has(place) ? day : this.#number(place, field.day) }))
      .filter((record) => day - record.day <= keptDays)
      .toSorted((a, b) => b.day - a.day);
    return places.map(({ place, day: used }) => {
      this.#numbers[place + field.day] = used;
      return this.#bytes.subarray(place * 8, place * 8 + recordLength);
    });
  }

  #number(place: number, which: number): number {
    return this.#numbers[place + which] as number;
  }
}

/** Reads a cache file; what is not one, is damaged, or is of something else is read as empty. */
export function decodeStatCache(bytes: Buffer | undefined, subject: CacheSubject): CachedDigests {
  const body = bytes === undefined ? undefined : soundBody(bytes, subject);
  if (bytes === undefined || body === undefined) return new CachedDigests(Buffer.alloc(0), { boot: '', bootedAt: 0 });
  return new CachedDigests(body, {
    boot: bytes.toString('latin1', header.boot, header.boot + 36),
    bootedAt: bytes.readDoubleLE(header.bootedAt),
  });
}

function soundBody(bytes: Buffer, { root, device }: CacheSubject): Buffer | undefined {
  if (bytes.length < headerLength || bytes.toString('latin1', 0, magic.length) !== magic) return undefined;
  const count = bytes.readUInt32LE(header.count);
  const sound =
    count <= mostRecords &&
    bytes.length === headerLength + count * recordLength &&
    bytes.readDoubleLE(header.device) === device &&
    bytes.toString('latin1', header.root, header.root + 64) === hash('sha256', root) &&
    bytes.readUInt32LE(header.checksum) === checksumOf(bytes);
  if (!sound) return undefined;
  // Float64Array wants its bytes at a multiple of 8, and the body is written to.
  const body = Buffer.from(new ArrayBuffer(count * recordLength));
  bytes.copy(body, 0, headerLength);
  return body;
}

function checksumOf(bytes: Buffer): number {
  return crc32(bytes.subarray(header.count));
}

/** The file that holds `fresh` and what is still of use of `known`. */
export function encodeStatCache(known: CachedDigests, fresh: readonly CachedDigest[], head: CacheHeader): Buffer {
  const renewed = new Set(fresh.map(({ stats }) => stats.ino));
  const records = [...fresh.map((entry) => encodeRecord(entry, head.day)), ...known.kept(renewed, head.day)].slice(
    0,
    mostRecords,
  );
  const bytes = Buffer.alloc(headerLength + records.length * recordLength);
  bytes.write(magic, header.magic, 'latin1');
  bytes.writeUInt32LE(records.length, header.count);
  bytes.writeDoubleLE(head.device, header.device);
  bytes.writeDoubleLE(head.bootedAt, header.bootedAt);
  bytes.write(hash('sha256', head.root), header.root, 'latin1');
  bytes.write(head.boot, header.boot, 36, 'latin1');
  for (const [index, record] of records.entries()) record.copy(bytes, headerLength + index * recordLength);
  bytes.writeUInt32LE(checksumOf(bytes), header.checksum);
  return bytes;
}

function encodeRecord({ stats, digest }: CachedDigest, day: number): Buffer {
  const record = Buffer.alloc(recordLength);
  const numbers: Readonly<Record<keyof typeof field, number>> = { ...pick(stats), day };
  for (const [name, index] of Object.entries(field)) {
    record.writeDoubleLE(numbers[name as keyof typeof field], index * 8);
  }
  record.write(digest, digestOffset, 'hex');
  return record;
}

function pick({ ino, size, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec, mode }: FileStats) {
  return { ino, size, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec, mode };
}
