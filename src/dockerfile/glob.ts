import { DockerfileError } from './error.ts';

/** One step of a glob. `*` and `?` never cross a slash; a class can, as in Go. */
export type GlobToken =
  | { readonly kind: 'one'; readonly character: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'star' }
  /** `**` before more: nothing, or anything that ends in a slash. */
  | { readonly kind: 'folders' }
  /** `**` at the end: anything. */
  | { readonly kind: 'rest' }
  | { readonly kind: 'class'; readonly source: string; readonly pattern: RegExp };

/**
 * A test for whole paths with Go's filepath.Match: `*`, `?`, `[a-z]`, `[^a]`, `\c`.
 * @throws DockerfileError INVALID_PATTERN
 */
export function createGlobMatcher(pattern: string): (path: string) => boolean {
  const tokens = parseGlob(pattern, { folders: false });
  if (tokens.every((token) => token.kind === 'one')) {
    const text = tokens.map((token) => token.character).join('');
    return (path) => path === text;
  }
  return compileGlob(tokens, { below: false });
}

/** Whether a source of COPY is a pattern rather than a plain path. */
export function hasWildcards(path: string): boolean {
  return /^(?:[^*?[\\]|\\[^])*[*?[]/.test(path);
}

/**
 * Reads a pattern; with `folders`, `**` counts.
 * @throws DockerfileError INVALID_PATTERN
 */
export function parseGlob(pattern: string, options: { readonly folders: boolean }): GlobToken[] {
  const characters = Array.from(pattern);
  const tokens: GlobToken[] = [];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? '';
    if (character === '*' && options.folders && characters[index + 1] === '*') {
      index += characters[index + 2] === '/' ? 2 : 1;
      pushOnce(tokens, index === characters.length - 1 ? 'rest' : 'folders');
    } else if (character === '*') pushOnce(tokens, 'star');
    else if (character === '?') tokens.push({ kind: 'any' });
    else if (character === '[') {
      const read = readClass(characters, index, pattern);
      tokens.push(read.token);
      index = read.end;
    } else if (character === '\\') {
      const escaped = characters[++index];
      if (escaped === undefined) throw badPattern(pattern);
      tokens.push({ kind: 'one', character: escaped });
    } else tokens.push({ kind: 'one', character });
  }
  return tokens;
}

/** Two of a kind say no more than one, but cost as much again. */
function pushOnce(tokens: GlobToken[], kind: 'star' | 'folders' | 'rest'): void {
  if (tokens.at(-1)?.kind !== kind) tokens.push({ kind });
}

function readClass(characters: readonly string[], start: number, pattern: string): { token: GlobToken; end: number } {
  let index = start + 1;
  const negated = characters[index] === '^';
  if (negated) index++;
  const bound = () => {
    let character = characters[index++];
    if (character === undefined || character === '-' || character === ']') throw badPattern(pattern);
    if (character === '\\') character = characters[index++];
    if (character === undefined) throw badPattern(pattern);
    return character;
  };
  let ranges = '';
  do {
    const low = bound();
    let high = low;
    if (characters[index] === '-') {
      index++;
      high = bound();
    }
    if (low <= high) ranges += `${escapeRegExp(low)}-${escapeRegExp(high)}`;
  } while (characters[index] !== ']');
  const source = `[${negated ? '^' : ''}${ranges}]`;
  return { token: { kind: 'class', source, pattern: new RegExp(`^${source}$`, 'u') }, end: index };
}

function badPattern(pattern: string): DockerfileError {
  return new DockerfileError('INVALID_PATTERN', `syntax error in pattern: ${JSON.stringify(pattern)}`);
}

/**
 * A test for the whole path, or with `below` also for any path under one that matches. Where backtracking could take
 * more than the square of the length, all states are walked at once instead.
 */
export function compileGlob(
  tokens: readonly GlobToken[],
  options: { readonly below: boolean },
): (path: string) => boolean {
  const wild = tokens.filter(({ kind }) => kind === 'star' || kind === 'folders' || kind === 'rest').length;
  if (wild > 2) return (path) => walkStates(Array.from(path), tokens, options.below);
  const source = tokens.map(sourceOf).join('');
  const pattern = new RegExp(`^${source}${options.below ? '(?:/|$)' : '$'}`, 'su');
  return (path) => pattern.test(path);
}

function sourceOf(token: GlobToken): string {
  switch (token.kind) {
    case 'one':
      return escapeRegExp(token.character);
    case 'any':
      return '[^/]';
    case 'star':
      return '[^/]*';
    case 'folders':
      return '(?:.*/)?';
    case 'rest':
      return '.*';
    case 'class':
      return token.source;
  }
}

function escapeRegExp(character: string): string {
  if (/^[\w ]$/.test(character)) return character;
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function walkStates(path: readonly string[], tokens: readonly GlobToken[], below: boolean): boolean {
  let states = new Set<number>();
  enter(tokens, 0, states);
  for (const character of path) {
    if (below && character === '/' && states.has(tokens.length)) return true;
    const next = new Set<number>();
    for (const state of states) step(tokens, state, character, next);
    states = next;
  }
  return states.has(tokens.length);
}

/** Adds a state, and those behind it that are reached by taking nothing. */
function enter(tokens: readonly GlobToken[], state: number, states: Set<number>): void {
  states.add(state);
  const kind = tokens[state]?.kind;
  if (kind === 'star' || kind === 'folders' || kind === 'rest') enter(tokens, state + 1, states);
}

function step(tokens: readonly GlobToken[], state: number, character: string, next: Set<number>): void {
  const token = tokens[state];
  if (token === undefined) return;
  if (token.kind === 'folders') {
    // They swallow anything, and may end behind any slash.
    next.add(state);
    if (character === '/') enter(tokens, state + 1, next);
  } else if (token.kind === 'rest') enter(tokens, state, next);
  else if (token.kind === 'star') {
    if (character !== '/') enter(tokens, state, next);
  } else if (token.kind === 'any' ? character !== '/' : matchesOne(token, character)) enter(tokens, state + 1, next);
}

function matchesOne(token: GlobToken, character: string): boolean {
  if (token.kind === 'class') return token.pattern.test(character);
  return token.kind === 'one' && token.character === character;
}
