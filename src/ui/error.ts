import { SlipwayError, type SlipwayErrorOptions } from '../errors.ts';

export type UiErrorCode =
  | 'TEMPLATE_INVALID'
  | 'TEMPLATE_FAILED'
  | 'NOT_A_TERMINAL'
  | 'INTERRUPTED'
  /** The time given by --timeout is over. */
  | 'DEADLINE'
  | 'NO_SUCH_IMAGE'
  | 'NO_CREDENTIAL'
  | 'IMAGE_IN_USE'
  | 'INVALID_TAG'
  | 'FILE_UNREADABLE'
  | 'FILE_UNWRITABLE'
  /** A question could not be answered; `cause` says why. */
  | 'UNANSWERED'
  /** What was checked is not as it should be. */
  | 'INVALID_IMAGE'
  /** Two things that were compared are not the same. */
  | 'DIFFERENT';

/** What goes wrong between a program and the person in front of it: formats that do not parse, prompts without a terminal. */
export class UiError extends SlipwayError {
  readonly code: UiErrorCode;
  constructor(code: UiErrorCode, message: string, options?: SlipwayErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
