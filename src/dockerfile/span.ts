/** A stretch of a text, `end` not included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export function shift({ start, end }: Span, by: number): Span {
  return { start: start + by, end: end + by };
}
