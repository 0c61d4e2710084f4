import { firstBeyond } from '../bisect.ts';
import type { Span } from '../span.ts';
import type { Ast, Escape } from '../ast.ts';
import { type LinePiece, piecesOf, trimContinuation, trimNewline } from '../lines.ts';
import { formatComment, isComment } from './comment.ts';

/** The logical line of an instruction, and how it is spread over lines of the file. */
export interface Written {
  readonly line: string;
  readonly escape: Escape;
  readonly breaks: readonly LineBreak[];
  /** Comments behind the last line, where only the end of the file ends it. */
  readonly trailing: readonly Comment[];
  /** Where the text goes on behind the logical line: heredoc bodies, or the next instruction. */
  readonly end: number;
}

export interface LineBreak {
  /** Offset in the logical line of what the new line begins with. */
  readonly at: number;
  /** Blanks that the new line begins with. */
  readonly indent: string;
  readonly comments: readonly Comment[];
}

export interface Comment {
  /** With its `#`. */
  readonly text: string;
  /** Blanks in front of it. */
  readonly indent: string;
}

/** The instruction that `span` of the text holds. */
export function readWritten({ source: { text }, escape }: Ast, span: Span): Written {
  const { line, pieces } = piecesOf(text, span.start, escape);
  const last = pieces.at(-1)?.offset ?? span.start;
  const end = nextLine(text, last);
  return {
    line,
    escape,
    breaks: pieces.slice(1).map((piece, index) => toBreak(text, pieces[index] ?? piece, piece)),
    trailing: isContinued(text.slice(last, end), escape) ? commentsIn(text.slice(end, span.end)) : [],
    end,
  };
}

function toBreak(text: string, before: LinePiece, { start, offset }: LinePiece): LineBreak {
  return {
    at: start,
    indent: indentOf(text.slice(offset, nextLine(text, offset))),
    comments: commentsIn(text.slice(nextLine(text, before.offset), offset)),
  };
}

function nextLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  return newline < 0 ? text.length : newline + 1;
}

function indentOf(line: string): string {
  return /^[\t ]*/.exec(line)?.[0] ?? '';
}

function commentsIn(text: string): Comment[] {
  const lines = text.split('\n').filter(isComment);
  return lines.map((line) => ({ text: formatComment(line), indent: indentOf(line) }));
}

/** Whether a line of the file is read together with the next one. */
export function isContinued(line: string, escape: Escape): boolean {
  return trimContinuation(trimNewline(line), escape) !== undefined;
}

/** The breaks at offsets from `start` on and before `end`. */
export function breaksIn({ breaks }: Written, { start, end }: Span): readonly LineBreak[] {
  const from = firstBeyond(breaks, ({ at }) => at >= start);
  return breaks.slice(
    from,
    firstBeyond(breaks, ({ at }) => at >= end, from),
  );
}

/** A stretch of the logical line with the line breaks and comments that stand within it. */
export function asWritten(written: Written, { start, end }: Span): string {
  const { line, escape } = written;
  const parts: string[] = [];
  let from = start;
  for (const { at, comments } of breaksIn(written, { start: start + 1, end })) {
    parts.push(`${line.slice(from, at)}${escape}\n`);
    for (const { indent, text } of comments) parts.push(`${indent}${text}\n`);
    from = at;
  }
  return parts.join('') + line.slice(from, end);
}
