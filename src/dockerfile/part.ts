import type { Span } from './span.ts';

/** A place in a file: line and column from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * What of an instruction is meant: a flag (its number, or the first with that name), an argument (its number), or a text
 * or a variable as it is written there. Without any of them it is the instruction's name.
 */
export interface Part {
  readonly flag?: number | string;
  readonly arg?: number;
  /** Looked for in the flag or argument if one is given, else behind the name. */
  readonly text?: string;
  /** Name of a variable: the first `$NAME` or `${NAME` is meant, looked for as a text is. */
  readonly variable?: string;
  /** A stretch of the file itself, where that is known already; the others then do not count. */
  readonly span?: Span;
}
