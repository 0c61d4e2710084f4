import { SlipwayError, type SlipwayErrorOptions } from '../errors.ts';
import { excerpt } from './excerpt.ts';
import type { SourceRange } from './graph.ts';

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
  | 'INVALID_PATTERN';

export interface DockerfileErrorOptions extends SlipwayErrorOptions {
  readonly range?: SourceRange | undefined;
}

/** The Dockerfile, or an ignore file, is not what it should be. `details` holds the excerpt with the lines marked. */
export class DockerfileError extends SlipwayError {
  readonly code: DockerfileErrorCode;
  /** The instruction at fault; undefined where no line is. */
  readonly range: SourceRange | undefined;

  constructor(code: DockerfileErrorCode, message: string, options: DockerfileErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.range = options.range;
  }
}

/** A Dockerfile's text and what it is called in messages. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

export interface Place {
  readonly source: Source;
  readonly range: SourceRange;
  /** Whether the message opens with the line, as BuildKit's does for what it finds before building. */
  readonly kind: 'parse' | 'build';
}

/** Runs `work`; an error of ours that names no line yet gets `place`. */
export function at<T>(place: Place, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DockerfileError) || error.range !== undefined) throw error;
    const prefix = place.kind === 'parse' ? `dockerfile parse error on line ${place.range.start}: ` : '';
    throw new DockerfileError(error.code, prefix + error.message, {
      range: place.range,
      details: excerpt(place.source.text, place.range, { name: place.source.name }),
      hint: error.hint,
      cause: error,
    });
  }
}
