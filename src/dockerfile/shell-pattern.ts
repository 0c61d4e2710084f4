import { DockerfileError } from './error.ts';

/** A parsed pattern of `${x#p}` and its like: `*`, `?`, or a character to be met. */
type Token =
  | { readonly kind: 'star' }
  | { readonly kind: 'any' }
  | { readonly kind: 'one'; readonly character: string };

/**
 * Takes the shortest (or with `longest` the longest) prefix that matches off `value`: `${x#p}` and `${x##p}`.
 * Matching walks all states at once, so that no pattern takes more than length × length steps.
 * @throws DockerfileError BAD_SUBSTITUTION
 */
export function removePrefix(value: string, pattern: string, longest: boolean): string {
  checkWork(value, pattern);
  const characters = Array.from(value);
  const end = matchFrom(characters, 0, parsePattern(pattern), longest);
  return end === undefined ? value : characters.slice(end).join('');
}

/** The same at the end of `value`: `${x%p}` and `${x%%p}`. */
export function removeSuffix(value: string, pattern: string, longest: boolean): string {
  checkWork(value, pattern);
  const characters = Array.from(value).toReversed();
  const end = matchFrom(characters, 0, parsePattern(pattern).toReversed(), longest);
  return end === undefined ? value : characters.slice(end).toReversed().join('');
}

/** Puts `replacement` in place of the first longest match, or of all: `${x/p/r}` and `${x//p/r}`. */
export function replacePattern(value: string, pattern: string, replacement: string, all: boolean): string {
  checkWork(value, pattern);
  const characters = Array.from(value);
  const tokens = parsePattern(pattern);
  const starts = matchStarts(characters, tokens);
  const out: string[] = [];
  let index = 0;
  let afterMatch = false;
  while (index <= characters.length) {
    const end = starts[index] === true ? matchFrom(characters, index, tokens, true) : undefined;
    // As Go's regexp does: an empty match right after another match does not count.
    if (end !== undefined && (end > index || !afterMatch)) {
      out.push(replacement);
      if (!all) return out.concat(characters.slice(end)).join('');
      if (end > index) {
        index = end;
        afterMatch = true;
        continue;
      }
    }
    afterMatch = false;
    const character = characters[index++];
    if (character !== undefined) out.push(character);
  }
  return out.join('');
}

/** Comparisons that one expansion may take. */
const maxWork = 50_000_000;

function checkWork(value: string, pattern: string): void {
  if (value.length * pattern.length <= maxWork) return;
  throw new DockerfileError('BAD_SUBSTITUTION', 'the pattern is too long for its value');
}

function parsePattern(pattern: string): Token[] {
  const characters = Array.from(pattern);
  const tokens: Token[] = [];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? '';
    if (character === '*') tokens.push({ kind: 'star' });
    else if (character === '?') tokens.push({ kind: 'any' });
    else if (character !== '\\') tokens.push({ kind: 'one', character });
    else {
      const escaped = characters[++index] ?? '';
      if (!/^[*?\\/}]$/.test(escaped)) {
        throw new DockerfileError(
          'BAD_SUBSTITUTION',
          `invalid pattern (${pattern}) in substitution: invalid escape '\\${escaped}'`,
        );
      }
      tokens.push({ kind: 'one', character: escaped });
    }
  }
  return tokens;
}

function accepts(token: Token | undefined, character: string | undefined): boolean {
  if (token === undefined || character === undefined) return false;
  return token.kind === 'one' ? token.character === character : character !== '\n';
}

/** Where a match that begins at `start` ends; undefined where there is none. */
function matchFrom(
  characters: readonly string[],
  start: number,
  tokens: readonly Token[],
  longest: boolean,
): number | undefined {
  let states = closure(new Set([0]), tokens);
  let end: number | undefined;
  for (let index = start; states.size > 0; index++) {
    if (states.has(tokens.length)) {
      end = index;
      if (!longest) return end;
    }
    const next = new Set<number>();
    for (const state of states) {
      if (accepts(tokens[state], characters[index])) next.add(tokens[state]?.kind === 'star' ? state : state + 1);
    }
    states = closure(next, tokens);
  }
  return end;
}

/** A star may also match nothing. */
function closure(states: Set<number>, tokens: readonly Token[]): Set<number> {
  for (const state of states) if (tokens[state]?.kind === 'star') states.add(state + 1);
  return states;
}

/** For each index whether a match begins there. */
function matchStarts(characters: readonly string[], tokens: readonly Token[]): boolean[] {
  const starts: boolean[] = [];
  let after: boolean[] = [];
  for (let index = characters.length; index >= 0; index--) {
    const here: boolean[] = [];
    here[tokens.length] = true;
    for (let state = tokens.length - 1; state >= 0; state--) {
      const token = tokens[state];
      const taken = accepts(token, characters[index]);
      here[state] =
        token?.kind === 'star'
          ? here[state + 1] === true || (taken && after[state] === true)
          : taken && after[state + 1] === true;
    }
    starts[index] = here[0] === true;
    after = here;
  }
  return starts;
}
