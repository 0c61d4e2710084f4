/** What every room's errors share: a stable code for programs, a sentence for people, a hint on what to do next. */
export interface SlipwayErrorOptions {
  /** What the user can do about it; shown on a line of its own. */
  readonly hint?: string | undefined;
  /** Lines shown below the message, such as a Dockerfile excerpt. */
  readonly details?: readonly string[] | undefined;
  /** Exit status of the command; 1 unless given. */
  readonly exitCode?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The root of all errors that Slipway throws on purpose. Each room has one subclass whose `code` is a closed union.
 * Match on `code`, never on the message or by `instanceof` across realms.
 */
export abstract class SlipwayError extends Error {
  abstract readonly code: string;
  readonly hint: string | undefined;
  readonly details: readonly string[];
  readonly exitCode: number;

  constructor(message: string, options: SlipwayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
    this.details = options.details ?? [];
    this.exitCode = options.exitCode ?? 1;
  }
}

/** True for errors of ours from any realm (a jest VM, a worker after structured clone keeps only Error's own fields). */
export function isSlipwayError(error: unknown): error is SlipwayError {
  return error instanceof Error && 'code' in error && 'exitCode' in error && 'details' in error;
}

export type UsageErrorCode = 'USAGE';

/** Wrong flags or arguments; docker's exit status 125. */
export class UsageError extends SlipwayError {
  readonly code: UsageErrorCode = 'USAGE';
  constructor(message: string, options: SlipwayErrorOptions = {}) {
    super(message, { exitCode: 125, ...options });
  }
}

/** The message of any thrown value, in one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The first of several errors: what clearing up threw after it (a full disk fails at everything) says less of why. */
export function firstError(error: unknown): unknown {
  let first = error;
  while (first instanceof Error && first.name === 'SuppressedError' && 'suppressed' in first) first = first.suppressed;
  return first;
}
