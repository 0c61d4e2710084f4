import { SlipwayError, type SlipwayErrorOptions } from '../errors.ts';

export type OciErrorCode =
  | 'INVALID_DIGEST'
  | 'INVALID_REFERENCE'
  | 'INVALID_PLATFORM'
  | 'INVALID_DESCRIPTOR'
  | 'INVALID_MANIFEST'
  | 'INVALID_CONFIG'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'TOO_LARGE'
  | 'DIGEST_MISMATCH'
  | 'SIZE_MISMATCH'
  | 'NOT_FOUND'
  | 'NO_MATCHING_PLATFORM';

/** A document or reference of the OCI vocabulary is not what it claims to be, or is not there. */
export class OciError extends SlipwayError {
  readonly code: OciErrorCode;
  constructor(code: OciErrorCode, message: string, options?: SlipwayErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The `code` of any thrown value, of whatever realm. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
