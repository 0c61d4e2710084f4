import type { SourceRange } from './graph.ts';

/** An instruction's place as BuildKit's answers have it: one range for each line. */
export interface LineRanges {
  readonly ranges: readonly { readonly start: { readonly line: number }; readonly end: { readonly line: number } }[];
}

export function lineRanges({ start, end }: SourceRange): LineRanges {
  const lines = Array.from({ length: Math.max(0, end - start) + 1 }, (_, index) => start + index);
  return { ranges: lines.map((line) => ({ start: { line }, end: { line } })) };
}
