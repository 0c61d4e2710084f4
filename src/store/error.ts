import { messageOf, SlipwayError, type SlipwayErrorOptions } from '../errors.ts';

export type StoreErrorCode =
  | 'NOT_A_STORE'
  | 'NEWER_SCHEMA'
  | 'NETWORK_FILE_SYSTEM'
  | 'READ_ONLY'
  | 'DAMAGED'
  | 'BUSY'
  | 'DISK_FULL'
  | 'IO_FAILED'
  | 'NOT_FOUND'
  | 'AMBIGUOUS_ID'
  | 'TOO_LARGE'
  | 'LAYERS_UNKNOWN'
  | 'LAYER_UNAVAILABLE'
  | 'DIFF_ID_MISMATCH'
  | 'SNAPSHOT_MISSING'
  | 'SNAPSHOTS_UNSUPPORTED'
  | 'CANNOT_DELETE'
  | 'CLOSED';

/** The local store cannot do what was asked of it. */
export class StoreError extends SlipwayError {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options?: SlipwayErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Result codes of sqlite3.h (the low byte of an extended code). */
const sqliteCodes: ReadonlyMap<number, StoreErrorCode> = new Map<number, StoreErrorCode>([
  [5, 'BUSY'],
  [6, 'BUSY'],
  [8, 'READ_ONLY'],
  [10, 'IO_FAILED'],
  [11, 'DAMAGED'],
  [13, 'DISK_FULL'],
  [14, 'IO_FAILED'],
  [26, 'DAMAGED'],
]);

const errnoCodes: ReadonlyMap<string, StoreErrorCode> = new Map<string, StoreErrorCode>([
  ['ENOSPC', 'DISK_FULL'],
  ['EDQUOT', 'DISK_FULL'],
  ['EROFS', 'READ_ONLY'],
  ['EIO', 'IO_FAILED'],
  // What the layer room makes of the same.
  ['DISK_FULL', 'DISK_FULL'],
]);

const hints: Partial<Record<StoreErrorCode, string>> = {
  DISK_FULL: 'free some space, for instance with `slipway prune`',
  DAMAGED: 'move the store aside; its images can be pulled or built again',
};

/** Names what SQLite or the file system reported while `doing` something; other errors pass unchanged. */
export function asStoreError(error: unknown, doing: string): unknown {
  if (error instanceof StoreError) return error;
  const code = storeCodeOf(error);
  if (code === undefined) return error;
  // SQLite has words of its own for it; which of the two meets a full disk first is chance.
  const what =
    code === 'DISK_FULL' && memberOf(error, 'errcode') !== undefined ? 'no space left on device' : messageOf(error);
  return new StoreError(code, `${doing}: ${what}`, { cause: error, hint: hints[code] });
}

function storeCodeOf(error: unknown): StoreErrorCode | undefined {
  const errcode = memberOf(error, 'errcode');
  if (typeof errcode === 'number') return sqliteCodes.get(errcode & 0xff);
  const name = errnoOf(error);
  return name === undefined ? undefined : errnoCodes.get(name);
}

/** The name of the error number (`ENOENT`), from Node or from our own system calls. */
export function errnoOf(error: unknown): string | undefined {
  const errno = memberOf(error, 'errno');
  if (typeof errno === 'string') return errno;
  const code = memberOf(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

export function isMissing(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT';
}

function memberOf(error: unknown, name: 'code' | 'errno' | 'errcode'): unknown {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;
}
