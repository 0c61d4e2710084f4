import { SlipwayError, type SlipwayErrorOptions } from '../errors.ts';

export type RegistryErrorCode =
  | 'INVALID_NAME'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'NOT_FOUND'
  | 'RATE_LIMITED'
  | 'REJECTED'
  | 'TOO_LARGE'
  | 'UNSUPPORTED'
  | 'UNAVAILABLE'
  | 'NETWORK'
  | 'TLS'
  | 'TIMEOUT'
  /** The time given for the whole is over. */
  | 'DEADLINE'
  | 'BAD_RESPONSE'
  | 'REDIRECT_REFUSED'
  | 'REALM_REFUSED'
  | 'UPLOAD_LOST'
  | 'CREDENTIALS'
  | 'CONFIG'
  | 'BLOCKED'
  | 'INVALID_FAULTS';

export interface RegistryErrorOptions extends SlipwayErrorOptions {
  /** HTTP status of the answer that caused this. */
  readonly status?: number | undefined;
  /** The `code` the registry itself gave, such as `MANIFEST_UNKNOWN` (distribution-spec, "Error Codes"). */
  readonly serverCode?: string | undefined;
}

/** A registry could not be reached, refused, or answered what it must not. Never holds a credential or a query value. */
export class RegistryError extends SlipwayError {
  readonly code: RegistryErrorCode;
  readonly status: number | undefined;
  readonly serverCode: string | undefined;
  constructor(code: RegistryErrorCode, message: string, options: RegistryErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.status = options.status;
    this.serverCode = options.serverCode;
  }
}
