import type { SourceRange } from './graph.ts';
import type { Position } from './part.ts';

export interface ExcerptOptions {
  /** What the file is called in the first line; `Dockerfile` unless given. */
  readonly name?: string;
  /** Lines shown around the range in all; 4 for a single line and 2 otherwise, as BuildKit does. */
  readonly context?: number;
  /** Characters of a line that are shown; 400 unless given. */
  readonly width?: number;
  /** Joins the head (`name:line:column`) and is pointed at. */
  readonly position?: Position | undefined;
}

const rule = '-'.repeat(20);

/** Columns from one tab stop to the next. */
const tabStop = 4;

/** Lines of an instruction above which only those around the position are shown: a build's script may have hundreds. */
const longRange = 20;
/** Lines shown there on each side. */
const nearby = 4;

/**
 * The lines of `text` around `range`, those inside it marked with `>>>`, between a head `name:line` and rules; tabs are
 * blanks. Empty where the range lies outside the text.
 * @param text the whole file, or its lines where many excerpts are made
 */
export function excerpt(text: string | readonly string[], range: SourceRange, options: ExcerptOptions = {}): string[] {
  const lines = typeof text === 'string' ? text.split('\n') : text;
  if (range.start < 1 || range.start > lines.length) return [];
  const marked = { start: range.start, end: Math.min(Math.max(range.start, range.end), lines.length) };
  const { line, column } = options.position ?? { line: range.start };
  return [
    [options.name ?? 'Dockerfile', line, ...(column === undefined ? [] : [column])].join(':'),
    rule,
    ...shownLines(lines, marked, options),
    rule,
  ];
}

function shownLines(lines: readonly string[], marked: SourceRange, options: ExcerptOptions): string[] {
  const { width = 400, position, context = marked.end === marked.start ? 4 : 2 } = options;
  const shown = widen(marked, lines.length, context);
  const digits = Math.max(3, String(shown.end).length);
  const blank = ` ${' '.repeat(digits)} |    `;
  return numbersOf(shown, marked, position).flatMap((number) => {
    if (number === undefined) return [`${blank} …`];
    const mark = number >= marked.start && number <= marked.end ? '>>>' : '   ';
    const line = lineAt(lines, number);
    const clipped = line.length > width ? `${line.slice(0, width)}…` : line;
    const written = ` ${String(number).padStart(digits)} | ${mark} ${expandTabs(clipped)}`.trimEnd();
    const column = number === position?.line ? position.column : undefined;
    // The first word of what is marked needs no pointer.
    if (column === undefined || column > width || (number === marked.start && isBlank(line, column))) return [written];
    return [written, `${blank} ${' '.repeat(columnsOf(expandTabs(line.slice(0, column - 1))))}^`];
  });
}

/** Which lines are shown; undefined stands for some that are left out of a long range. */
function numbersOf(shown: SourceRange, marked: SourceRange, position: Position | undefined): (number | undefined)[] {
  const all = Array.from({ length: shown.end - shown.start + 1 }, (_, index) => shown.start + index);
  if (position === undefined || marked.end - marked.start < longRange) return all;
  const isShown = (number: number): boolean => number <= marked.start || Math.abs(number - position.line) <= nearby;
  const kept = all.filter(isShown);
  return kept.flatMap((number, index) =>
    (kept[index + 1] ?? shown.end) > number + 1 ? [number, undefined] : [number],
  );
}

/** A line without its end, and without a byte order mark. */
function lineAt(lines: readonly string[], number: number): string {
  const line = (lines[number - 1] ?? '').replace(/\r$/, '');
  return number === 1 ? line.replace(/^\ufeff/, '') : line;
}

function isBlank(line: string, column: number): boolean {
  return line.slice(0, column - 1).trim() === '';
}

function expandTabs(line: string): string {
  const [first = '', ...others] = line.split('\t');
  let [text, columns] = [first, columnsOf(first)];
  for (const part of others) {
    const blanks = tabStop - (columns % tabStop);
    text += ' '.repeat(blanks) + part;
    columns += blanks + columnsOf(part);
  }
  return text;
}

/** Columns that a text takes on a terminal: two for the letters of East Asia and for pictures, none for marks on others. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += narrow.test(character) ? 1 : wide.test(character) ? 2 : 1;
  return columns - (text.match(marks)?.length ?? 0);
}

const narrow = /[\u0020-\u02ff]/;
const wide =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const marks = /\p{Mark}/gu;

/** Grows a range by `context` lines, as evenly as the text's ends allow. */
function widen(range: SourceRange, lineCount: number, context: number): SourceRange {
  let { start, end } = range;
  for (let added = 0; added < context && (start > 1 || end < lineCount); ) {
    if (start > 1) {
      start--;
      added++;
    }
    if (added < context && end < lineCount) {
      end++;
      added++;
    }
  }
  return { start, end };
}
