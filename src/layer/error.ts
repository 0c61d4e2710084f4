import { messageOf, SlipwayError, type SlipwayErrorOptions } from '../errors.ts';

export type LayerErrorCode =
  /** The bytes are not a tar that our strict reader takes. */
  | 'INVALID_TAR'
  /** The input ends in the middle of an entry or of a compressed frame. */
  | 'TRUNCATED'
  /** An entry that no honest layer has: refused, see the rules in `apply/`. */
  | 'UNSAFE_ENTRY'
  | 'LINK_TARGET_MISSING'
  /** More bytes, entries or depth than allowed. */
  | 'TOO_LARGE'
  | 'INVALID_COMPRESSION'
  | 'UNSUPPORTED_COMPRESSION'
  | 'OWNER_UNMAPPED'
  | 'DISK_FULL'
  | 'IO_FAILED'
  /** A snapshot's file is not what its header list says. */
  | 'CONTENT_CHANGED'
  | 'INVALID_HEADER_LIST'
  | 'INVALID_STATS'
  | 'DIGEST_MISMATCH'
  | 'SIZE_MISMATCH'
  | 'WORKER_FAILED';

/** A layer could not be read, applied, made or compressed. */
export class LayerError extends SlipwayError {
  readonly code: LayerErrorCode;
  constructor(code: LayerErrorCode, message: string, options?: SlipwayErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const errnoCodes: ReadonlyMap<string, LayerErrorCode> = new Map<string, LayerErrorCode>([
  ['ENOSPC', 'DISK_FULL'],
  ['EDQUOT', 'DISK_FULL'],
  ['ENAMETOOLONG', 'UNSAFE_ENTRY'],
  ['ELOOP', 'UNSAFE_ENTRY'],
]);

/** Gives an error of the operating system its place among ours; errors of ours pass unchanged. `doing`: `applying etc/passwd`. */
export function layerErrorOf(error: unknown, doing: string): unknown {
  if (error instanceof LayerError) return error;
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const code = errnoCodes.get(errno) ?? 'IO_FAILED';
  const hint =
    code === 'DISK_FULL' ? 'Free some space (`slipway prune`) or use another folder for the store.' : undefined;
  return new LayerError(code, `${doing}: ${messageOf(error)}`, { cause: error, hint });
}

/** The name of the error number (`ENOENT`), from Node or from our own system calls. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { errno, code } = error as { errno?: unknown; code?: unknown };
  if (typeof errno === 'string') return errno;
  return typeof errno === 'number' && typeof code === 'string' ? code : undefined;
}
