import { SlipwayError, type SlipwayErrorOptions } from '../errors.ts';

/** What failed, for programs. */
export type BuildErrorCode =
  | 'CONTEXT_NOT_FOUND'
  | 'CONTEXT_INVALID'
  | 'DOCKERFILE_NOT_FOUND'
  | 'SOURCE_NOT_FOUND'
  | 'COPY_CONFLICT'
  | 'DOWNLOAD_FAILED'
  | 'CHECKSUM_MISMATCH'
  | 'CACHE_SIZE_INVALID'
  /** A source policy that cannot be read or followed. */
  | 'POLICY_INVALID'
  | 'SOURCE_DENIED'
  /** With --locked: a source is not pinned. */
  | 'NOT_LOCKED'
  /** Two builds of the same made different layers. */
  | 'NOT_REPRODUCIBLE'
  /** No build of it is remembered, or it had no such step. */
  | 'ACCOUNT_NOT_FOUND'
  | 'GIT_MISSING'
  | 'GIT_FAILED'
  | 'ARCHIVE_INVALID'
  | 'IMAGE_NOT_FOUND'
  | 'SYNC_INVALID'
  | 'IMAGE_INVALID'
  /** It may be there, but it could not be had: no network, a broken answer. */
  | 'IMAGE_UNAVAILABLE'
  | 'UNSUPPORTED'
  | 'STEP_FAILED'
  /** It asks for a right that was not given with `--allow`. */
  | 'NOT_ALLOWED'
  | 'NO_TERMINAL'
  | 'KEPT_STEP_NOT_FOUND'
  | 'NO_SUCH_BUILD'
  | 'OUTPUT_INVALID'
  /** A secret or an ssh agent that a step needs is not there, or cannot be had. */
  | 'SECRET_UNAVAILABLE'
  /** One of several outputs; `cause` says why. */
  | 'OUTPUT_FAILED'
  /** `--cache-from` or `--cache-to` say what cannot be. */
  | 'CACHE_OPTION_INVALID'
  /** What is found there is no cache of ours. */
  | 'CACHE_INVALID'
  | 'CACHE_UNSUPPORTED'
  | 'CACHE_NOT_FOUND'
  | 'CACHE_UNAVAILABLE'
  | 'CANCELLED'
  /** A bake definition is written wrong, or asks for what cannot be. */
  | 'BAKE_INVALID'
  | 'BAKE_NOT_FOUND';

/** A build cannot go on. A failing RUN step has code STEP_FAILED and the step's own exit status. */
export class BuildError extends SlipwayError {
  readonly code: BuildErrorCode;
  constructor(code: BuildErrorCode, message: string, options?: SlipwayErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What a build ends with that was told to stop. */
export function cancelled(): BuildError {
  return new BuildError('CANCELLED', 'the build was cancelled', { exitCode: 130 });
}
