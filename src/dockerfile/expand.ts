import type { Escape } from './ast.ts';
import { DockerfileError } from './error.ts';
import { quote } from './quote.ts';
import { removePrefix, removeSuffix, replacePattern } from './shell-pattern.ts';
import { isSpace } from './text.ts';

/** The variables that an expansion sees. */
export type Variables = ReadonlyMap<string, string>;

export const noVariables: Variables = new Map();

export interface ExpandOptions {
  /** What escapes; `\` unless given. */
  readonly escape?: Escape;
  /** What becomes of quotes: removed as by a shell (unless given), kept but heeded, or plain characters. */
  readonly quotes?: 'remove' | 'keep' | 'ignore';
  readonly keepEscapes?: boolean;
  /** Leaves a variable that is not set as it is written. */
  readonly keepUnset?: boolean;
  /** Characters that variables may add; 1 MiB unless given. A process takes no longer ones. */
  readonly limit?: number;
}

export interface Expansion {
  readonly text: string;
  /** `text` split at blanks that were not quoted. */
  readonly words: readonly string[];
  /** Names that were looked up and found. */
  readonly matched: ReadonlySet<string>;
  readonly unmatched: ReadonlySet<string>;
}

/** `${…}` within `${…}`, deeper than which nobody means it. */
const maxDepth = 400;

/**
 * Expands the variables of `word` and takes off its quotes, as BuildKit's shell lexer does.
 * @throws DockerfileError BAD_SUBSTITUTION
 */
export function expand(word: string, variables: Variables, options: ExpandOptions = {}): Expansion {
  const state: State = {
    word,
    index: 0,
    depth: 0,
    variables,
    escape: options.escape ?? '\\',
    quotes: options.quotes ?? 'remove',
    keepUnset: options.keepUnset ?? false,
    budget: options.limit ?? 1 << 20,
    matched: new Set(),
    unmatched: new Set(),
  };
  let pieces: Piece[];
  try {
    pieces = readUntil(state, undefined, options.keepEscapes ?? false);
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    const shown = word.length > 200 ? `${word.slice(0, 200)}…` : word;
    throw new DockerfileError(error.code, `failed to process ${quote(shown)}: ${error.message}`, {
      part: { text: word },
      cause: error,
    });
  }
  return {
    text: join(pieces),
    get words() {
      return splitWords(pieces);
    },
    matched: state.matched,
    unmatched: state.unmatched,
  };
}

/** The expanded text alone. */
export function expandText(word: string, variables: Variables, options?: ExpandOptions): string {
  return expand(word, variables, options).text;
}

interface State {
  readonly word: string;
  index: number;
  depth: number;
  readonly variables: Variables;
  readonly escape: Escape;
  readonly quotes: 'remove' | 'keep' | 'ignore';
  readonly keepUnset: boolean;
  /** Characters that variables may still add: a few lines of `ENV A=$A$A` would fill any memory. */
  budget: number;
  readonly matched: Set<string>;
  readonly unmatched: Set<string>;
}

/** A stretch of the result; blanks of a solid one do not split words. */
interface Piece {
  readonly text: string;
  readonly solid: boolean;
}

/** What ends a part of `${…}`. */
type Stop = '}' | '/';

const plain = /[^$'"<\\`}/]+/y;

function readUntil(state: State, stop: Stop | undefined, keepEscapes: boolean): Piece[] {
  const pieces: Piece[] = [];
  const { word } = state;
  while (state.index < word.length) {
    plain.lastIndex = state.index;
    const run = plain.exec(word)?.[0];
    if (run !== undefined) {
      pieces.push({ text: run, solid: false });
      state.index += run.length;
      continue;
    }
    const character = word[state.index] ?? '';
    if (character === stop) {
      state.index++;
      return pieces;
    }
    if (character === '$') pieces.push({ text: readDollar(state, keepEscapes), solid: false });
    else if (character === '<') pieces.push({ text: readAngle(state), solid: true });
    else if (character === "'" && state.quotes !== 'ignore') pieces.push({ text: readSingle(state), solid: true });
    else if (character === '"' && state.quotes !== 'ignore') {
      pieces.push({ text: readDouble(state, keepEscapes), solid: true });
    } else if (character === state.escape) pieces.push({ text: readEscape(state, keepEscapes), solid: true });
    else {
      pieces.push({ text: character, solid: false });
      state.index++;
    }
  }
  if (stop !== undefined) throw missing(stop);
  return pieces;
}

function readEscape(state: State, keepEscapes: boolean): string {
  const escaped = state.word[state.index + 1] ?? '';
  state.index += 2;
  return (keepEscapes ? state.escape : '') + escaped;
}

function readSingle(state: State): string {
  const end = state.word.indexOf("'", state.index + 1);
  if (end < 0) throw bad('unexpected end of statement while looking for matching single-quote');
  const text =
    state.quotes === 'keep' ? state.word.slice(state.index, end + 1) : state.word.slice(state.index + 1, end);
  state.index = end + 1;
  return text;
}

const plainInDouble = /[^"$\\`]+/y;

function readDouble(state: State, keepEscapes: boolean): string {
  const { word } = state;
  const mark = state.quotes === 'keep' ? '"' : '';
  const parts = [mark];
  state.index++;
  while (state.index < word.length) {
    plainInDouble.lastIndex = state.index;
    const run = plainInDouble.exec(word)?.[0];
    if (run !== undefined) {
      parts.push(run);
      state.index += run.length;
      continue;
    }
    const character = word[state.index] ?? '';
    if (character === '"') {
      state.index++;
      parts.push(mark);
      return parts.join('');
    }
    if (character === '$') {
      parts.push(readDollar(state, keepEscapes));
      continue;
    }
    state.index++;
    const next = word[state.index];
    if (character === state.escape && (next === '"' || next === '$' || next === state.escape)) {
      parts.push(keepEscapes ? character : '', next);
      state.index++;
    } else if (character !== state.escape || next !== undefined) parts.push(character);
  }
  throw bad('unexpected end of statement while looking for matching double-quote');
}

/** `<<` and the blanks after it, which belong to a heredoc's word. */
function readAngle(state: State): string {
  const text = /<(?:<[\t\r ]*)?/y;
  text.lastIndex = state.index;
  const found = text.exec(state.word)?.[0] ?? '<';
  state.index += found.length;
  return found;
}

function readDollar(state: State, keepEscapes: boolean): string {
  state.index++;
  if (state.word[state.index] !== '{') {
    const name = readName(state);
    if (name === '') return '$';
    return lookUp(state, name) ?? (state.keepUnset ? `$${name}` : '');
  }
  state.index++;
  const first = state.word[state.index];
  if (first === undefined) throw bad("syntax error: missing '}'");
  if (first === '{' || first === '}' || first === ':') throw bad('syntax error: bad substitution');
  if (++state.depth > maxDepth) throw bad('syntax error: substitutions nested too deeply');
  const value = readBraced(state, readName(state), keepEscapes);
  state.depth--;
  return value;
}

/** What follows the name in `${name…}`. */
function readBraced(state: State, name: string, keepEscapes: boolean): string {
  const operator = state.word[state.index++];
  switch (operator) {
    case undefined:
      throw bad("syntax error: missing '}'");
    case '}':
      return lookUp(state, name) ?? (state.keepUnset ? `\${${name}}` : '');
    case ':': {
      const modifier = characterAt(state);
      state.index += modifier.length;
      if (modifier === '#' || modifier === '%') throw bad(`unsupported modifier (:${modifier}) in substitution`);
      return substitute(state, { name, modifier, colon: true, keepEscapes });
    }
    case '+':
    case '-':
    case '?':
    case '#':
    case '%':
      return substitute(state, { name, modifier: operator, colon: false, keepEscapes });
    case '/':
      return replaceIn(state, name);
    default:
      state.index--;
      throw bad(`unsupported modifier (${characterAt(state)}) in substitution`);
  }
}

interface Modifier {
  readonly name: string;
  readonly modifier: string;
  /** Whether an empty value counts as none. */
  readonly colon: boolean;
  readonly keepEscapes: boolean;
}

function substitute(state: State, { name, modifier, colon, keepEscapes }: Modifier): string {
  const trims = modifier === '#' || modifier === '%';
  const word = readOperand(state, '}', trims || keepEscapes);
  const value = lookUp(state, name);
  const shown = `${colon ? ':' : ''}${modifier}`;
  if (state.keepUnset && value === undefined) return `\${${name}${shown}${word}}`;
  const absent = value === undefined || (colon && value === '');
  switch (modifier) {
    case '-':
      return absent ? word : value;
    case '+':
      return absent ? '' : word;
    case '?':
      if (!absent) return value;
      throw bad(`${name}: ${word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`);
    case '#':
    case '%': {
      const longest = word.startsWith(modifier);
      const remove = modifier === '#' ? removePrefix : removeSuffix;
      return remove(value ?? '', longest ? word.slice(1) : word, longest);
    }
    default:
      throw bad(`unsupported modifier (${shown}) in substitution`);
  }
}

function replaceIn(state: State, name: string): string {
  const all = state.word[state.index] === '/';
  if (all) state.index++;
  const pattern = readOperand(state, '/', true);
  const replacement = readOperand(state, '}', true);
  const value = lookUp(state, name);
  if (state.keepUnset && value === undefined) return `\${${name}/${pattern}/${replacement}}`;
  if (all) spend(state, (value?.length ?? 0) * replacement.length);
  return replacePattern(value ?? '', pattern, replacement, all);
}

function readOperand(state: State, stop: Stop, keepEscapes: boolean): string {
  try {
    return join(readUntil(state, stop, keepEscapes));
  } catch (error) {
    if (!(error instanceof DockerfileError) || state.index < state.word.length) throw error;
    throw missing(stop); // whatever is open inside, this is open too
  }
}

function missing(stop: Stop): DockerfileError {
  return bad(stop === '}' ? "syntax error: missing '}'" : "syntax error: missing '/' in ${}");
}

/** A number, a name, or one of the shell's special parameters. */
const parameter = /\p{Nd}+|[\p{L}_][\p{L}\p{Nd}_]*|[@*#?$!-]/uy;

/** What names a variable here; empty where nothing does. */
function readName(state: State): string {
  parameter.lastIndex = state.index;
  const name = parameter.exec(state.word)?.[0] ?? '';
  state.index += name.length;
  return name;
}

function lookUp(state: State, name: string): string | undefined {
  const value = state.variables.get(name);
  (value === undefined ? state.unmatched : state.matched).add(name);
  spend(state, value?.length ?? 0);
  return value;
}

function spend(state: State, characters: number): void {
  state.budget -= characters;
  if (state.budget < 0) throw bad('the result is too long');
}

function characterAt(state: State): string {
  const code = state.word.codePointAt(state.index);
  return code === undefined ? '' : String.fromCodePoint(code);
}

function join(pieces: readonly Piece[]): string {
  return pieces.length === 1 ? (pieces[0]?.text ?? '') : pieces.map((piece) => piece.text).join('');
}

function splitWords(pieces: readonly Piece[]): string[] {
  const words: string[] = [];
  let word: string[] = [];
  const close = () => {
    const text = word.join('');
    if (text !== '') words.push(text);
    word = [];
  };
  for (const { text, solid } of pieces) {
    if (solid) {
      word.push(text);
      continue;
    }
    let from = 0;
    for (let index = 0; index <= text.length; index++) {
      if (index < text.length && !isSpace(text[index])) continue;
      if (index > from) word.push(text.slice(from, index));
      if (index < text.length) close();
      from = index + 1;
    }
  }
  close();
  return words;
}

function bad(message: string): DockerfileError {
  return new DockerfileError('BAD_SUBSTITUTION', message);
}
