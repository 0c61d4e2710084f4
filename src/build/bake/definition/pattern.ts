/** Whether a name matches a pattern of Go's path.Match: `*`, `?`, `[a-z]`, `[^…]`, `\c`. A malformed one matches nothing. */
export function matchesPattern(pattern: string, name: string): boolean {
  const source = pattern.replace(
    /\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|\*|\?|[^]/g,
    (whole, escaped?: string, not?: string, set?: string) => {
      if (escaped !== undefined) return quote(escaped);
      if (set !== undefined) return `[${not ?? ''}${set.replace(/[[\]^]/g, '\\$&')}]`;
      return whole === '*' ? '[^/]*' : whole === '?' ? '[^/]' : quote(whole);
    },
  );
  try {
    return new RegExp(`^${source}$`, 'u').test(name);
  } catch {
    return false;
  }
}

export function isPattern(text: string): boolean {
  return /[*?[\]]/.test(text);
}

function quote(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
