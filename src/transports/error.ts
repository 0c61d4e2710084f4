import { SlipwayError, type SlipwayErrorOptions } from '../errors.ts';

export type TransportErrorCode =
  | 'INVALID_LOCATION'
  | 'NOT_A_LAYOUT'
  | 'INVALID_LAYOUT'
  | 'NOT_AN_ARCHIVE'
  | 'INVALID_ARCHIVE'
  | 'AMBIGUOUS_REFERENCE'
  | 'NOTHING_TAGGED'
  | 'READ_ONLY'
  | 'CLOSED'
  | 'ENGINE'
  | 'LOCK_TIMEOUT';

/** A layout or archive is not what it claims to be, or cannot do what was asked. */
export class TransportError extends SlipwayError {
  readonly code: TransportErrorCode;
  constructor(code: TransportErrorCode, message: string, options?: SlipwayErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
