/** What a definition of a few lines could otherwise do: fill the memory, or never end. */
export const limits = {
  steps: 2_000_000,
  /** Expressions, variables and functions within each other; below what the stack of a thread holds. */
  depth: 800,
  /** Characters of one text. */
  text: 4 << 20,
  /** Characters of all texts that are made. */
  texts: 128 << 20,
  /** Of one collection. */
  elements: 100_000,
} as const;

/** A function cannot do its work; `argument` is the index of the one that is at fault. */
export class FunctionFailure extends Error {
  readonly argument: number | undefined;
  constructor(message: string, argument?: number) {
    super(message);
    this.argument = argument;
  }
}

/** Joins texts unless the result is too long, which is known before it is made. @throws FunctionFailure */
export function joined(parts: readonly string[], separator = ''): string {
  const length = parts.reduce((sum, part) => sum + part.length, Math.max(0, parts.length - 1) * separator.length);
  if (length > limits.text) throw new FunctionFailure(`a text becomes longer than ${limits.text} characters`);
  return parts.join(separator);
}
