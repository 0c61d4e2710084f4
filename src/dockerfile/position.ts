import { argumentForms, type Span, shift, splitInstruction } from './arguments.ts';
import type { Escape } from './ast.ts';
import type { SourceRange } from './graph.ts';
import { type LinePiece, piecesOf } from './lines.ts';
import type { Part, Position } from './part.ts';

/** A Dockerfile's text and how its lines are continued. */
export interface Lines {
  readonly text: string;
  readonly escape: Escape;
}

/** Where in the file the part of the instruction at `range` begins; its instruction where the part cannot be found. */
export function positionOf(lines: Lines, range: SourceRange, part: Part = {}): Position {
  const found = new Positions(lines).find(range, part);
  return found.start;
}

/** Finds parts of instructions in one file; the beginnings of lines are looked up once. */
export class Positions {
  readonly #lines: Lines;
  readonly #starts: readonly number[];
  #latest: { readonly line: number; readonly found: ReturnType<typeof piecesOf> } | undefined;

  constructor(lines: Lines) {
    this.#lines = lines;
    this.#starts = lineStarts(lines.text);
  }

  /** Where the part of the instruction at `range` stands: line and column, and offsets in the text. */
  find(range: SourceRange, part: Part = {}): { start: Position; end: Position; span: Span } {
    const span = part.span ?? this.#place(range, (line) => spanOf(line, this.#lines.escape, part));
    return { start: this.at(span.start), end: this.at(span.end), span };
  }

  /** Where in the text a stretch of the logical line of the instruction at `range` stands. */
  inFile(range: SourceRange, span: Span): Span {
    return this.#place(range, () => span);
  }

  /** The offset at which a line begins, counted from 1. */
  lineStart(line: number): number {
    return this.#starts[line - 1] ?? this.#lines.text.length;
  }

  #place(range: SourceRange, choose: (line: string) => Span): Span {
    const { line, pieces } = this.#piecesAt(range.start);
    const { start, end } = choose(line);
    // An end belongs to the piece of the character before it.
    return {
      start: toOffset(pieces, start),
      end: end > start ? toOffset(pieces, end - 1) + 1 : toOffset(pieces, end),
    };
  }

  /** The logical line that begins at a line; many parts of one are asked for in a row. */
  #piecesAt(line: number): ReturnType<typeof piecesOf> {
    const { text, escape } = this.#lines;
    if (this.#latest?.line !== line) this.#latest = { line, found: piecesOf(text, this.lineStart(line), escape) };
    return this.#latest.found;
  }

  /** The position of an offset in the text. */
  at(offset: number): Position {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }
}

/** The offset at which each line begins; a byte order mark is in none. */
function lineStarts(text: string): number[] {
  const starts = [text.startsWith('\ufeff') ? 1 : 0];
  for (let index = text.indexOf('\n'); index >= 0; index = text.indexOf('\n', index + 1)) starts.push(index + 1);
  return starts;
}

function toOffset(pieces: readonly LinePiece[], index: number): number {
  const piece = pieces.findLast(({ start }) => start <= index);
  return piece === undefined ? index : piece.offset + index - piece.start;
}

/** Where a part stands in a logical line. */
function spanOf(line: string, escape: Escape, part: Part): Span {
  const { nameSpan, flags, flagSpans, rest, restStart } = splitInstruction(line, escape);
  const whole = partSpan();
  const { start, end } = whole ?? { start: nameSpan.end, end: line.length };
  const within = line.slice(start, end);
  const found = part.variable === undefined ? findText(within, part.text) : findVariable(within, part.variable);
  return found === undefined ? (whole ?? nameSpan) : shift(found, start);

  function partSpan(): Span | undefined {
    if (part.flag !== undefined) {
      const index = typeof part.flag === 'number' ? part.flag : flags.findIndex((flag) => isFlag(flag, part.flag));
      return flagSpans[index];
    }
    if (part.arg === undefined) return undefined;
    const name = line.slice(nameSpan.start, nameSpan.end).toLowerCase();
    const span = argumentForms.get(name)?.spans(rest, escape)[part.arg];
    return span === undefined ? undefined : shift(span, restStart);
  }
}

function findText(line: string, text = ''): Span | undefined {
  const index = text === '' ? -1 : line.indexOf(text);
  return index < 0 ? undefined : { start: index, end: index + text.length };
}

/** `$NAME` and `${NAME}`; of `${NAME:-word}` what stands before the word. */
function findVariable(line: string, name: string): Span | undefined {
  for (const { 0: text, 1: braced, 2: bare, index } of line.matchAll(/\$(?:\{(\w+)\}?|(\w+))/g)) {
    if ((braced ?? bare) === name) return { start: index, end: index + text.length };
  }
  return undefined;
}

function isFlag(flag: string, name: number | string | undefined): boolean {
  return flag === `--${name}` || flag.startsWith(`--${name}=`);
}
