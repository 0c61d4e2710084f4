import { LayerError } from '../error.ts';

/** PAX records in the order they came; a key may come twice (GNU sparse 0.0), the last one counts elsewhere. */
export type PaxRecords = readonly (readonly [key: string, value: Buffer])[];

export const xattrPrefix = 'SCHILY.xattr.';

/** Values in which a NUL could hide the rest of a name from another reader. */
const textKeys = new Set(['path', 'linkpath', 'uname', 'gname', 'GNU.sparse.name', 'hdrcharset']);

/**
 * Reads `length key=value\n` records strictly: exact lengths, no empty key, no NUL in names.
 * @throws LayerError INVALID_TAR
 */
export function parsePax(body: Buffer): PaxRecords {
  const records: [string, Buffer][] = [];
  let at = 0;
  while (at < body.length) {
    const end = at + recordLength(body, at);
    const start = body.indexOf(0x20, at) + 1;
    const equals = body.indexOf(0x3d, start);
    if (end > body.length || body[end - 1] !== 0x0a || equals <= start || equals >= end) throw malformed();
    const key = body.toString('utf8', start, equals);
    const value = Buffer.from(body.subarray(equals + 1, end - 1));
    if (key.includes('\0') || (textKeys.has(key) && value.includes(0))) {
      throw new LayerError('INVALID_TAR', `PAX record ${JSON.stringify(key)} has a NUL in it`);
    }
    records.push([key, value]);
    at = end;
  }
  return records;
}

/** The decimal number that starts a record and counts all of it. */
function recordLength(body: Buffer, at: number): number {
  let length = 0;
  let digits = 0;
  for (; digits < 10; digits++) {
    const digit = (body[at + digits] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    if (digits === 0 && digit === 0) throw malformed();
    length = length * 10 + digit;
  }
  if (digits === 0 || body[at + digits] !== 0x20 || length < digits + 4) throw malformed();
  return length;
}

function malformed(): LayerError {
  return new LayerError('INVALID_TAR', 'malformed PAX record');
}

/** A decimal integer of a record. @throws LayerError INVALID_TAR */
export function paxInteger(key: string, value: Buffer): bigint {
  const text = value.toString('latin1');
  if (!/^[0-9]{1,20}$/.test(text)) throw new LayerError('INVALID_TAR', `PAX record ${key} is not a number`);
  return BigInt(text);
}

/** Seconds with an optional fraction, as nanoseconds. @throws LayerError INVALID_TAR */
export function paxTime(key: string, value: Buffer): bigint {
  const match = /^(-?)([0-9]{1,30})(?:\.([0-9]{0,30}))?$/.exec(value.toString('latin1'));
  if (match === null) throw new LayerError('INVALID_TAR', `PAX record ${key} is not a time`);
  const fraction = (match[3] ?? '').slice(0, 9).padEnd(9, '0');
  const magnitude = BigInt(match[2] ?? '0') * 1_000_000_000n + BigInt(fraction);
  return match[1] === '-' ? -magnitude : magnitude;
}

/** Prints records sorted by key, each with its own length in front. */
export function printPax(records: ReadonlyMap<string, Buffer>): Buffer {
  const sorted = [...records].map(([key, value]) => [Buffer.from(key), value] as const);
  sorted.sort(([a], [b]) => Buffer.compare(a, b));
  return Buffer.concat(sorted.map(([key, value]) => printRecord(key, value)));
}

function printRecord(key: Buffer, value: Buffer): Buffer {
  const rest = key.length + value.length + 3; // blank, equals sign, line feed
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} `), key, Buffer.from('='), value, Buffer.from('\n')]);
}
