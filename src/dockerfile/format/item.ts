import type { Span } from '../arguments.ts';
import { isSpace, trimStart } from '../text.ts';
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
export const maximumWidth = 120;

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
      parts.push(` ${mark}`, ...above.map((comment) => `${indent}${comment}\n`), item.indent ?? indent);
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
  for (const { at, comments } of breaks) {
    if (comments.length === 0 || isWithin(items, at)) continue;
    const index = placeFor(items, at);
    placed.set(index, [...(placed.get(index) ?? []), ...comments.map(({ text }) => text)]);
  }
  return placed;
}

/** Where the item prints its comments itself; the keyword does not. */
function isWithin(items: readonly Item[], at: number): boolean {
  return items.some(({ span: { start, end } }, index) => index > 0 && start < at && at < end);
}

function placeFor(items: readonly Item[], at: number): number {
  const keyword = items[0]?.span.end ?? 0;
  if (at < keyword) return 0;
  const next = items.findIndex(({ span }) => span.start >= at);
  if (next < 0) return items.length;
  const allowed = (index: number) => index > 0 && mayBeginLine(items[index]);
  for (let index = next; index > 0; index--) if (allowed(index)) return index;
  return Math.max(0, items.findIndex((_, index) => index > next && allowed(index)));
}

/** A continued line that began with `#` would be a comment. */
function mayBeginLine(item: Item | undefined): boolean {
  return item !== undefined && !trimStart(item.text).startsWith('#');
}

/** Where the line would go on without its blanks, which are left out else, it keeps them. */
function endLine(text: string, { line, escape }: Written): string {
  const isOpen = (whole: string) => isContinued(whole.slice(whole.lastIndexOf('\n') + 1), escape);
  if (!isOpen(text)) return text;
  let end = line.length;
  while (isSpace(line[end - 1])) end--;
  const kept = text + line.slice(end);
  return isOpen(kept) ? kept + escape : kept;
}
