/** A pattern in which only `*` has a meaning, any text, so that no pattern takes long to match. */
export interface Glob {
  readonly parts: readonly string[];
}

export function parseGlob(pattern: string): Glob {
  return { parts: pattern.split('*') };
}

export function matchesGlob({ parts }: Glob, text: string): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
