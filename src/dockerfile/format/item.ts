import type { Span } from '../span.ts';
import { trimNewline } from '../lines.ts';
import { trimEnd, trimStart } from '../text.ts';
import { isContinued, type Written } from './written.ts';

/** A part of an instruction that is moved as a whole: the keyword, a flag, a word, a bracket, the text of a command. */
export interface Item {
  /** Where it stands in the logical line. */
  readonly span: Span;
  /** As it is printed; may hold line breaks. */
  readonly text: string;
  /** What parts it from the item before, where both stand on one line. */
  readonly gap: '' | ' ';
  /** Whether it begins a line. */
  readonly breaks: boolean;
  /** Blanks in front of it there, if other than the instruction's. */
  readonly indent?: string;
}

/** Columns beyond which lists are broken into lines. */
const maximumWidth = 120;

/** Whether any line of the items, on one line as far as they can be, is too long. */
export function isTooWide(items: readonly Item[]): boolean {
  const text = items.map(({ gap, text }, index) => (index === 0 ? text : gap + text)).join('');
  return text.split('\n').some((line) => line.length > maximumWidth);
}

/** The items as lines of the file; the first is the keyword. The last line has its end. */
export function printItems(items: readonly Item[], written: Written, indent: string): string {
  const comments = placeComments(items, written);
  const mark = `${written.escape}\n`;
  const parts = (comments.get(0) ?? []).map((comment) => `${comment}\n`);
  if (parts.length > 0) parts.unshift(mark);
  for (const [index, item] of items.entries()) {
    const above = index === 0 ? [] : (comments.get(index) ?? []);
    if (above.length > 0 || (item.breaks && mayBeginLine(item))) {
      parts.push(` ${mark}`);
      for (const comment of above) parts.push(`${indent}${comment}\n`);
      parts.push(item.indent ?? indent);
    } else if (index > 0) parts.push(item.gap);
    parts.push(item.text);
  }
  const after = [...(comments.get(items.length) ?? []), ...written.trailing.map(({ text }) => text)];
  return [endLine(parts.join(''), written), ...after, ''].join('\n');
}

/**
 * The comments between items, by the number of the item that they stand above. They are kept within the continued
 * line: above it they would describe the instruction.
 */
function placeComments(items: readonly Item[], { breaks }: Written): Map<number, string[]> {
  const placed = new Map<number, string[]>();
  let next = 0;
  for (const { at, comments } of breaks) {
    while (next < items.length && (items[next]?.span.start ?? 0) < at) next++;
    const index = placeFor(items, at, next);
    if (index === undefined) continue;
    const before = placed.get(index) ?? [];
    placed.set(index, before);
    for (const { text } of comments) before.push(text);
  }
  return placed;
}

/** For a comment at an offset, where `next` is the first item behind it; undefined within an item that prints it itself. */
function placeFor(items: readonly Item[], at: number, next: number): number | undefined {
  const [keyword] = items;
  if (keyword === undefined || keyword.text === '') return items.length;
  if (at < keyword.span.end) return 0;
  return at < (items[next - 1]?.span.end ?? 0) ? undefined : next;
}

/** A continued line that began with `#` would be a comment. */
function mayBeginLine({ text }: Item): boolean {
  return !trimStart(text).startsWith('#');
}

/**
 * The line without the blanks at its end, unless they are needed: where it would go on without them, or where a heredoc's
 * word ends in one of them, which it can when `\` is not the escape.
 */
function endLine(text: string, { line, escape }: Written): string {
  if (text === '') return escape; // a mark alone at the end of the file is an instruction without a name
  const isOpen = (whole: string) => isContinued(whole.slice(whole.lastIndexOf('\n') + 1), escape);
  if (!isOpen(text) && !(line.includes('<<') && text.endsWith('\\'))) return text;
  const kept = text + line.slice(trimEnd(line).length);
  return isOpen(kept) ? kept + escape : trimNewline(kept);
}
