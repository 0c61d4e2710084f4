import type { Instruction } from '../ast.ts';
import { type Item, isTooWide, printItems } from './item.ts';
import { argumentItems, flagItems, keywordItem, wholeItems } from './items-of.ts';
import { isDelicate, isOldPair, isPairList, isWordList, type Parts, partsOf } from './parts.ts';
import { breaksIn, type Written } from './written.ts';

const defaultIndent = '    ';

/** The lines of an instruction without its heredoc bodies. */
export function formatInstruction(instruction: Instruction, written: Written): string {
  const parts = partsOf(instruction, written);
  const items = isDelicate(parts) ? delicateItems(parts) : plainItems(parts);
  const indent = textIndent(parts, items.at(-1));
  if (indent === undefined) return printItems(items, written, defaultIndent);
  const last = items.length - 1;
  const fixed = items.map((item, index) => (index === last ? { ...item, indent } : item));
  return printItems(fixed, written, indent.startsWith('\t') ? '\t' : defaultIndent.slice(0, indent.length));
}

function delicateItems(parts: Parts): Item[] {
  return withBreaks([keywordItem(parts), ...wholeItems(parts)], parts.written);
}

function plainItems(parts: Parts): Item[] {
  const flags = flagItems(parts);
  const items = withBreaks([keywordItem(parts), ...flags, ...argumentItems(parts)], parts.written);
  const first = 1 + flags.length;
  return isPairList(parts) && !isOldPair(parts) ? breakPairs(items, first) : breakFlags(items, first);
}

/** Lines break where they are written to. */
function withBreaks(items: readonly Item[], written: Written): Item[] {
  return items.map((item, index) => {
    const start = items[index - 1]?.span.end;
    if (start === undefined) return item;
    return { ...item, breaks: breaksIn(written, { start, end: item.span.start + 1 }).length > 0 };
  });
}

/** Pairs from number `first` on: one a line as soon as they are on several lines, or too long for one. */
function breakPairs(items: readonly Item[], first: number): Item[] {
  const pairs = items.slice(first);
  const several = pairs.length > 1 && (pairs.some(({ breaks }) => breaks) || isTooWide(items));
  return items.map((item, index) => (several && index > first ? { ...item, breaks: true } : item));
}

/**
 * Flags before number `end`: one a line as soon as they are on several, and then what follows begins a line too, unless it
 * is a heredoc's opening.
 */
function breakFlags(items: readonly Item[], end: number): Item[] {
  if (!items.slice(2, end).some(({ breaks }) => breaks)) return [...items];
  const last = items[end]?.text.startsWith('<<') === true ? end - 1 : end;
  return items.map((item, index) => (index > 1 && index <= last ? { ...item, breaks: true } : item));
}

/**
 * Blanks in front of a command's text that goes on over lines: those lines cannot be moved, so the first one stays in
 * line with them, and what stands above it goes no deeper.
 */
function textIndent(parts: Parts, last: Item | undefined): string | undefined {
  const isText =
    isDelicate(parts) || isOldPair(parts) || !(isPairList(parts) || isWordList(parts) || parts.instruction.json);
  if (!isText || last?.text.includes('\n') !== true) return undefined;
  const { nameSpan } = parts.split;
  return parts.written.breaks.findLast(({ at }) => at >= nameSpan.end && at <= last.span.start)?.indent;
}
