import { SlipwayError, type SlipwayErrorOptions } from '../errors.ts';
import type { SourceRange } from './graph.ts';
import type { Part, Position } from './part.ts';

export type DockerfileErrorCode =
  /** No instruction, or no stage. */
  | 'EMPTY'
  /** The text cannot be split into instructions: a directive, a heredoc, a name/value pair, a JSON array. */
  | 'SYNTAX'
  | 'UNKNOWN_INSTRUCTION'
  | 'INVALID_FLAG'
  /** Number, form or value of an instruction's arguments. */
  | 'INVALID_ARGUMENT'
  /** A variable expression that cannot be expanded. */
  | 'BAD_SUBSTITUTION'
  | 'UNKNOWN_STAGE'
  | 'CIRCULAR_DEPENDENCY'
  | 'INVALID_PLATFORM'
  /** A file of the build context is wanted where there is none. */
  | 'NO_CONTEXT'
  /** `toGraph` was asked before `needs` was satisfied. */
  | 'MISSING_CONFIG'
  | 'INVALID_PATTERN'
  /** `# check=error=true`, and something was found. */
  | 'CHECK_FAILED';

export interface DockerfileErrorOptions extends SlipwayErrorOptions {
  readonly range?: SourceRange | undefined;
  /** What of the instruction is at fault, while no position is known. */
  readonly part?: Part | undefined;
  readonly position?: Position | undefined;
}

/** The Dockerfile, or an ignore file, is not what it should be. `details` holds the excerpt with the lines marked. */
export class DockerfileError extends SlipwayError {
  readonly code: DockerfileErrorCode;
  /** The instruction at fault; undefined where no line is. */
  readonly range: SourceRange | undefined;
  /** Where in the file; undefined where no line is at fault. */
  readonly position: Position | undefined;
  readonly #part: Part | undefined;

  constructor(code: DockerfileErrorCode, message: string, options: DockerfileErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.range = options.range;
    this.position = options.position;
    this.#part = options.part;
  }

  /** The part of `error` that is at fault, if it is one of ours and says so. */
  static partOf(error: unknown): Part | undefined {
    // Not `instanceof DockerfileError`: bundlers rename a class that names itself, and `name` with it.
    return error instanceof Error && #part in error ? error.#part : undefined;
  }
}

/** Runs `work`; an error of ours that names no part of its instruction gets `part`. */
export function inPart<T>(part: Part, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DockerfileError) || error.range !== undefined) throw error;
    const { code, message, hint } = error;
    throw new DockerfileError(code, message, {
      hint,
      part: { ...DockerfileError.partOf(error), ...part },
      cause: error.cause,
    });
  }
}
