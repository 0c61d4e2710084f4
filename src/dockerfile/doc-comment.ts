import { cut } from './text.ts';

/** Comments by their first words; many names may be looked for in the comments of one instruction. */
const known = new WeakMap<readonly string[], ReadonlyMap<string, string>>();

/**
 * What the comments above an instruction say of `name`: the rest of the first that begins with it and a space
 * (`# build compiles the sources`). Empty where none does, or the name is empty or no word.
 */
export function docComment(comments: readonly string[], name: string): string {
  if (name === '' || comments.length === 0) return '';
  const found = known.get(comments) ?? byFirstWord(comments);
  known.set(comments, found);
  return found.get(name) ?? '';
}

function byFirstWord(comments: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const comment of comments) {
    const [word = '', rest] = cut(comment, ' ') ?? [];
    if (rest !== undefined && !found.has(word)) found.set(word, rest);
  }
  return found;
}
