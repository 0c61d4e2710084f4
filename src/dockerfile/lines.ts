import type { Escape } from './ast.ts';
import { isSpace, trimStart } from './text.ts';

/** Gives the lines of a text one by one. */
export interface LineReader {
  /** The next line with its end, or undefined. */
  next(): string | undefined;
  /** Number of the line given last, from 1. */
  number: number;
  /** Where the line given last begins in the text. */
  offset: number;
}

/** Reads from offset `from`, which is the beginning of line `number`. */
export function lineReader(text: string, from = 0, number = 1): LineReader {
  let next = from;
  return {
    number: number - 1,
    offset: from,
    next() {
      if (next >= text.length) return undefined;
      this.offset = next;
      const newline = text.indexOf('\n', next);
      next = newline < 0 ? text.length : newline + 1;
      this.number++;
      return text.slice(this.offset, next);
    },
  };
}

export function trimNewline(line: string): string {
  let to = line.length;
  while (to > 0 && (line[to - 1] === '\n' || line[to - 1] === '\r')) to--;
  return to === line.length ? line : line.slice(0, to);
}

export interface LogicalLine {
  readonly line: string;
  /** Whether there were empty lines between continued ones. */
  readonly sawEmpty: boolean;
}

/** Told of each stretch of a logical line: where it begins there, and in the text. */
export type OnPiece = (start: number, offset: number) => void;

/**
 * Joins the lines that `first` begins (leading blanks removed); comments and empty lines between them vanish.
 * The reader has just given `first`.
 */
export function readLogicalLine(file: LineReader, first: string, escape: Escape, onPiece?: OnPiece): LogicalLine {
  let piece = trimContinuation(first, escape);
  const parts = [piece ?? first];
  let length = onPiece === undefined ? 0 : (piece ?? first).length;
  let sawEmpty = false;
  while (piece !== undefined) {
    const raw = file.next();
    if (raw === undefined) break;
    const line = trimNewline(raw);
    const content = firstVisible(line);
    if (content === '#') continue;
    if (content === undefined) {
      sawEmpty = true;
      continue;
    }
    piece = trimContinuation(line, escape);
    parts.push(piece ?? line);
    onPiece?.(length, file.offset);
    length += (piece ?? line).length;
  }
  return { line: parts.length === 1 ? (parts[0] ?? '') : parts.join(''), sawEmpty };
}

function firstVisible(line: string): string | undefined {
  for (let index = 0; index < line.length; index++) if (!isSpace(line[index])) return line[index];
  return undefined;
}

/** The line without its continuation mark; undefined where it has none. An escaped mark is none. */
export function trimContinuation(line: string, escape: Escape): string | undefined {
  let to = line.length;
  while (to > 0 && (line[to - 1] === ' ' || line[to - 1] === '\t')) to--;
  if (line[to - 1] !== escape || line[to - 2] === escape) return undefined;
  return line.slice(0, to - 1);
}

/** Where the logical line of the instruction that begins at `offset` has its pieces, the first one included. */
export function piecesOf(text: string, offset: number, escape: Escape): { line: string; pieces: LinePiece[] } {
  const file = lineReader(text, offset);
  const raw = trimNewline(file.next() ?? '');
  const first = trimStart(raw);
  const pieces: LinePiece[] = [{ start: 0, offset: offset + raw.length - first.length }];
  const { line } = readLogicalLine(file, first, escape, (start, at) => pieces.push({ start, offset: at }));
  return { line, pieces };
}

/** A stretch of a logical line up to the next one, and where it stands in the file. */
export interface LinePiece {
  readonly start: number;
  readonly offset: number;
}
