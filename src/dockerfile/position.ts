import { argumentForms, type SplitLine, splitInstruction } from './arguments.ts';
import { lastWithin } from './bisect.ts';
import { type Span, shift } from './span.ts';
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
  /** Many parts of one logical line are asked for in a row. */
  #latest: { readonly number: number; readonly line: PartedLine } | undefined;
  /** Characters that may still be searched for texts. */
  #searches = 64 << 20;

  constructor(lines: Lines) {
    this.#lines = lines;
    this.#starts = lineStarts(lines.text);
  }

  /**
   * Where the part of the instruction at `range` stands: line and column, and offsets in the text. A text that is too
   * far away, after many others, is no longer looked for.
   */
  find(range: SourceRange, part: Part = {}): { start: Position; end: Position; span: Span } {
    const span = part.span ?? this.inFile(range, this.#spanOf(range, part));
    return { start: this.at(span.start), end: this.at(span.end), span };
  }

  /** Where in the text a stretch of the logical line of the instruction at `range` stands. */
  inFile(range: SourceRange, { start, end }: Span): Span {
    const line = this.#lineAt(range.start);
    // An end belongs to the piece of the character before it.
    return { start: line.toOffset(start), end: end > start ? line.toOffset(end - 1) + 1 : line.toOffset(end) };
  }

  /** The offset at which a line begins, counted from 1. */
  lineStart(line: number): number {
    return this.#starts[line - 1] ?? this.#lines.text.length;
  }

  /** Where a part stands in the logical line of its instruction. */
  #spanOf(range: SourceRange, part: Part): Span {
    const line = this.#lineAt(range.start);
    const { nameSpan } = line.split;
    const whole = line.spanOf(part);
    const { text = '', variable } = part;
    if ((text === '' && variable === undefined) || this.#searches < 0) return whole ?? nameSpan;
    const { start, end } = whole ?? { start: nameSpan.end, end: line.text.length };
    const found = variable === undefined ? findText(line.text, text, start) : findVariable(line.text, variable, start);
    this.#searches -= (found?.end ?? line.text.length) - start;
    return found === undefined || found.end > end ? (whole ?? nameSpan) : found;
  }

  #lineAt(number: number): PartedLine {
    const { text, escape } = this.#lines;
    if (this.#latest?.number !== number) {
      this.#latest = { number, line: new PartedLine(text, this.lineStart(number), escape) };
    }
    return this.#latest.line;
  }

  /** The position of an offset in the text. */
  at(offset: number): Position {
    const index = lastWithin(this.#starts, (start) => start > offset);
    return { line: index + 1, column: offset - (this.#starts[index] ?? 0) + 1 };
  }
}

/** The offset at which each line begins; a byte order mark is in none. */
function lineStarts(text: string): number[] {
  const starts = [text.startsWith('\ufeff') ? 1 : 0];
  for (let index = text.indexOf('\n'); index >= 0; index = text.indexOf('\n', index + 1)) starts.push(index + 1);
  return starts;
}

/** The logical line that begins at an offset of a text, taken apart once. */
class PartedLine {
  readonly text: string;
  readonly split: SplitLine;
  readonly #pieces: readonly LinePiece[];
  readonly #escape: Escape;
  #args: readonly Span[] | undefined;

  constructor(text: string, offset: number, escape: Escape) {
    const { line, pieces } = piecesOf(text, offset, escape);
    this.text = line;
    this.split = splitInstruction(line, escape);
    this.#pieces = pieces;
    this.#escape = escape;
  }

  /** Where in the file a place of the line is. */
  toOffset(index: number): number {
    const piece = this.#pieces[lastWithin(this.#pieces, ({ start }) => start > index)];
    return piece === undefined ? index : piece.offset + index - piece.start;
  }

  /** The flag or argument that is meant; undefined where none is, or there is no such. */
  spanOf({ flag, arg }: Part): Span | undefined {
    const { flags, flagSpans } = this.split;
    if (flag !== undefined) {
      return flagSpans[typeof flag === 'number' ? flag : flags.findIndex((each) => isFlag(each, flag))];
    }
    if (arg === undefined) return undefined;
    this.#args ??= this.#argSpans();
    return this.#args[arg];
  }

  #argSpans(): Span[] {
    const { name, rest, restStart } = this.split;
    const spans = argumentForms.get(name.toLowerCase())?.spans(rest, this.#escape) ?? [];
    return spans.map((span) => shift(span, restStart));
  }
}

/** The text from `start` on. */
function findText(line: string, text: string, start: number): Span | undefined {
  const index = line.indexOf(text, start);
  return index < 0 ? undefined : { start: index, end: index + text.length };
}

/** `$NAME` and `${NAME}` from `from` on; of `${NAME:-word}` what stands before the word. */
function findVariable(line: string, name: string, from: number): Span | undefined {
  const form = /\$(?:\{([\p{L}\p{Nd}_]+)\}?|([\p{L}\p{Nd}_]+))/gu;
  form.lastIndex = from;
  for (let found = form.exec(line); found !== null; found = form.exec(line)) {
    const { 0: text, 1: braced, 2: bare, index } = found;
    if ((braced ?? bare) === name) return { start: index, end: index + text.length };
  }
  return undefined;
}

function isFlag(flag: string, name: string): boolean {
  return flag === `--${name}` || flag.startsWith(`--${name}=`);
}
