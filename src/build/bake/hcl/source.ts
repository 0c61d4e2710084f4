import { excerpt } from '../../../dockerfile/index.ts';
import { BuildError } from '../../error.ts';

/** A text that definitions are read from. */
export interface Source {
  readonly name: string;
  readonly text: string;
  /** Where it stands, for one that is a string of another (JSON): errors show that. */
  readonly within?: Span;
}

/** A part of a source: offsets in UTF-16 units, the end excluded. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/**
 * An error about a part of a definition: `file:line:column: why`, and the lines around it.
 * @returns BuildError BAKE_INVALID
 */
export function errorAt(
  span: Span,
  why: string,
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): BuildError {
  const outer = outermost(span);
  const { source } = outer;
  const { line, column } = positionOf(outer);
  const range = { start: line, end: line };
  const details = excerpt(source.text, range, { name: source.name, position: { line, column } });
  return new BuildError('BAKE_INVALID', `${source.name}:${line}:${column}: ${why}`, { ...options, details });
}

/** Line and column, both from 1. */
export function positionOf({ source, start }: Span): { line: number; column: number } {
  const before = source.text.slice(0, start);
  const line = before.split('\n').length;
  return { line, column: start - (before.lastIndexOf('\n') + 1) + 1 };
}

/** The place in the file of something in a text of that file. */
export function outermost(span: Span): Span {
  return span.source.within === undefined ? span : outermost(span.source.within);
}

/** From the beginning of one to the end of the other. */
export function join(first: Span, last: Span): Span {
  return { source: first.source, start: first.start, end: Math.max(first.end, last.end) };
}
