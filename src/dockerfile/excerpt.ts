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

/**
 * The lines of `text` around `range`, those inside it marked with `>>>`, between a head `name:line` and rules.
 * Empty where the range lies outside the text.
 */
export function excerpt(text: string, range: SourceRange, options: ExcerptOptions = {}): string[] {
  const lines = text.split('\n');
  if (range.start < 1 || range.start > lines.length) return [];
  const end = Math.min(Math.max(range.start, range.end), lines.length);
  const shown = widen({ start: range.start, end }, lines.length, options.context ?? (end === range.start ? 4 : 2));
  const width = options.width ?? 400;
  const body: string[] = [];
  for (let number = shown.start; number <= shown.end; number++) {
    const mark = number >= range.start && number <= end ? '>>>' : '   ';
    const line = (lines[number - 1] ?? '').replace(/\r$/, '');
    const clipped = line.length > width ? `${line.slice(0, width)}…` : line;
    body.push(` ${String(number).padStart(3)} | ${mark} ${clipped}`.trimEnd());
    if (number === options.position?.line) body.push(...pointer(line, options.position.column, width));
  }
  const { line, column } = options.position ?? { line: range.start };
  return [
    [options.name ?? 'Dockerfile', line, ...(column === undefined ? [] : [column])].join(':'),
    rule,
    ...body,
    rule,
  ];
}

/** A line that points at a column; none where the column is not shown, or is that of the line's first word. */
function pointer(line: string, column: number, width: number): string[] {
  if (column > width || line.slice(0, column - 1).trim() === '') return [];
  return [`     |     ${line.slice(0, column - 1).replace(/[^\t]/g, ' ')}^`];
}

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
