import type { SourceRange } from './graph.ts';

/** An instruction's place as BuildKit's answers have it: one range for each line, of a very long one a single range. */
export interface LineRanges {
  readonly ranges: readonly { readonly start: { readonly line: number }; readonly end: { readonly line: number } }[];
}

/** Lines beyond which one range stands for all: the places of many findings in one instruction would be endless. */
const maxLines = 100;

export function lineRanges({ start, end }: SourceRange): LineRanges {
  if (end - start >= maxLines) return { ranges: [{ start: { line: start }, end: { line: end } }] };
  const lines = Array.from({ length: Math.max(0, end - start) + 1 }, (_, index) => start + index);
  return { ranges: lines.map((line) => ({ start: { line }, end: { line } })) };
}
