import { toCommand } from './command-prefix.ts';
import { arithmeticEnd, NotUnderstood, type Reader, readWord } from './read-word.ts';
import type { Joint, Redirect, ShellCommand, ShellScript, ShellWord } from './script.ts';

/** What is open while a list of commands is read: groups and compound commands. */
type Open = '(' | '{' | 'if' | 'do' | 'case';

interface State extends Reader {
  readonly commands: ShellCommand[];
  /** Here-documents whose text begins at the next line. */
  readonly heredocs: { readonly name: string; readonly chomp: boolean }[];
  depth: number;
  joint: Joint;
  end: number;
  open: boolean;
}

/** Groups and substitutions within each other, deeper than which nobody means it. */
const maxDepth = 100;

/**
 * Reads a script for the POSIX shell, with what bash users write often ([[, arrays, &>, <(…)): simple commands, however
 * deep they stand.
 */
export function readScript(text: string): ShellScript {
  const state: State = {
    text,
    index: 0,
    braces: 0,
    nested: () => readNested(state),
    commands: [],
    heredocs: [],
    depth: 0,
    joint: '',
    end: 0,
    open: false,
  };
  let certain = true;
  try {
    readCommands(state, { nested: false });
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    certain = false;
  }
  const { commands, end, open } = state;
  return { text, commands: commands.toSorted((a, b) => a.start - b.start), certain, end, open };
}

function readNested(state: State): void {
  const { depth, joint, end, open } = state;
  state.depth++;
  state.joint = '';
  readCommands(state, { nested: true });
  Object.assign(state, { depth, joint, end, open });
}

/** Reads to the end of the text, or behind the `)` that ends a substitution. */
function readCommands(state: State, { nested }: { readonly nested: boolean }): void {
  const opens: Open[] = [];
  const outer = state.depth;
  for (;;) {
    state.depth = outer + opens.length;
    if (state.depth > maxDepth) throw new NotUnderstood();
    skipBlanks(state);
    const character = state.text[state.index];
    if (character === undefined) {
      if (nested || opens.length > 0) throw new NotUnderstood();
      return;
    }
    if (character === ')') {
      state.index++;
      if (opens.length === 0 && nested) return;
      if (opens.pop() !== '(') throw new NotUnderstood();
      closed(state);
    } else if (takeOperator(state, opens)) continue;
    else if (character === '(') {
      const arithmetic = arithmeticEnd(state.text, state.index);
      if (arithmetic === undefined) opens.push('(');
      state.index = arithmetic ?? state.index + 1;
      if (arithmetic !== undefined) closed(state);
      state.joint = '';
    } else readKeywordOrCommand(state, opens);
  }
}

function skipBlanks(state: State): void {
  const blanks = /[ \t\r]*(?:\\\n[ \t\r]*)*(?:#[^\n]*)?/y;
  blanks.lastIndex = state.index;
  state.index += blanks.exec(state.text)?.[0].length ?? 0;
}

/** Takes what ends a command; a line's end brings the here-documents that it announced. */
function takeOperator(state: State, opens: readonly Open[]): boolean {
  const operator = /;;&?|;&|&&|\|\||\|&|[;&|\n]/y;
  operator.lastIndex = state.index;
  const found = operator.exec(state.text)?.[0];
  if (found === undefined || (found === '&' && state.text[state.index + 1] === '>')) return false;
  state.index += found.length;
  if (found === '\n') {
    skipHeredocs(state);
    // A line may be broken behind `&&`.
    if (!state.open) state.joint = ';';
    return true;
  }
  state.end = state.index;
  if (found.startsWith(';;') || found === ';&') {
    if (opens.at(-1) !== 'case') throw new NotUnderstood();
    readPatterns(state);
    return true;
  }
  state.open = true;
  state.joint = found === '|&' ? '|' : (found as Joint);
  return true;
}

function skipHeredocs(state: State): void {
  for (const { name, chomp } of state.heredocs.splice(0)) {
    for (;;) {
      if (state.index >= state.text.length) return;
      const newline = state.text.indexOf('\n', state.index);
      const line = state.text.slice(state.index, newline < 0 ? state.text.length : newline);
      state.index = newline < 0 ? state.text.length : newline + 1;
      state.end = state.index;
      if ((chomp ? line.replace(/^\t+/, '') : line).replace(/\r$/, '') === name) break;
    }
  }
}

/** After the end of a compound command only redirections and operators may come. */
function closed(state: State): void {
  state.end = state.index;
  state.open = false;
  for (;;) {
    skipBlanks(state);
    if (takeRedirect(state, []) === undefined) break;
  }
  if (/^(?:[\w"'$/.-])/.test(state.text.slice(state.index, state.index + 1))) {
    if (!/^(?:then|do|else|elif|fi|done|esac)\b/.test(state.text.slice(state.index, state.index + 5))) {
      throw new NotUnderstood();
    }
  }
}

function readKeywordOrCommand(state: State, opens: Open[]): void {
  const keyword = /(?:if|then|elif|else|fi|while|until|do|done|for|select|case|esac|function|[{}!])(?=[\s;&|()<>]|$)/y;
  keyword.lastIndex = state.index;
  const found = keyword.exec(state.text)?.[0];
  if (found === undefined) return readCommand(state);
  state.index += found.length;
  state.end = state.index;
  state.open = true;
  switch (found) {
    case '!':
      return;
    case 'if':
    case '{':
      opens.push(found);
      break;
    case 'while':
    case 'until':
      opens.push('do');
      break;
    case 'for':
    case 'select':
      skipTo(state, /[;\n]/);
      opens.push('do');
      break;
    case 'function':
      skipTo(state, /[{(]/);
      break;
    case 'case':
      readCaseHead(state);
      opens.push('case');
      break;
    case 'fi':
      return close(state, opens, 'if');
    case 'done':
      return close(state, opens, 'do');
    case '}':
      return close(state, opens, '{');
    case 'esac':
      return close(state, opens, 'case');
  }
  state.joint = '';
}

function close(state: State, opens: Open[], open: Open): void {
  if (opens.pop() !== open) throw new NotUnderstood();
  closed(state);
}

/** Passes words up to one of the characters; the commands of substitutions in them are read. */
function skipTo(state: State, stop: RegExp): void {
  for (;;) {
    skipBlanks(state);
    const character = state.text[state.index];
    if (character === undefined) throw new NotUnderstood();
    if (stop.test(character)) return;
    if (/[&|<>)]/.test(character)) throw new NotUnderstood();
    if (character === '(') state.index++;
    else readWord(state);
  }
}

function readCaseHead(state: State): void {
  skipBlanks(state);
  readWord(state);
  skipBlankLines(state);
  if (readWord(state).text !== 'in') throw new NotUnderstood();
  readPatterns(state);
}

function skipBlankLines(state: State): void {
  for (;;) {
    skipBlanks(state);
    if (state.text[state.index] !== '\n') return;
    state.index++;
  }
}

/** `a|b)`; nothing before `esac`. */
function readPatterns(state: State): void {
  skipBlankLines(state);
  state.joint = '';
  if (/^esac(?=[\s;&|)]|$)/.test(state.text.slice(state.index, state.index + 5))) return;
  if (state.text[state.index] === '(') state.index++;
  for (;;) {
    skipBlanks(state);
    const character = state.text[state.index];
    if (character === ')' || character === '|') state.index++;
    else readWord(state);
    if (character === ')') return;
  }
}

function readCommand(state: State): void {
  const { joint, depth } = state;
  const start = state.index;
  const words: ShellWord[] = [];
  const redirects: Redirect[] = [];
  state.open = false;
  for (;;) {
    state.end = Math.max(state.end, state.index);
    skipBlanks(state);
    if (takeRedirect(state, redirects) !== undefined) continue;
    if (/^(?:[;&|)\n]|$)/.test(state.text.slice(state.index, state.index + 1))) break;
    if (state.text[state.index] !== '(') words.push(readWord(state));
    else if (takeFunctionHead(state, words)) return;
    if (words.length === 1 && words[0]?.text === '[[') skipTest(state);
  }
  state.joint = '';
  if (words.length === 0 && redirects.length === 0) return;
  const end = Math.max(words.at(-1)?.end ?? 0, redirects.at(-1)?.target.end ?? 0);
  state.end = Math.max(state.end, end);
  state.commands.push(toCommand(words, { redirects, joint, depth, start, end }));
}

/** Takes the `()` of `name()`, behind which the function's body stands as a group, or all of `NAME=(an array)`. */
function takeFunctionHead(state: State, words: readonly ShellWord[]): boolean {
  const [word] = words;
  if (words.at(-1)?.end === state.index && words.at(-1)?.text.endsWith('=') === true) {
    state.index++;
    for (skipBlankLines(state); state.text[state.index] !== ')'; skipBlankLines(state)) readWord(state);
    state.index++;
    return false;
  }
  const head = /\(\s*\)\s*(?=[{(])/y;
  head.lastIndex = state.index;
  const found = head.exec(state.text)?.[0];
  if (words.length !== 1 || word === undefined || found === undefined) throw new NotUnderstood();
  state.index += found.length;
  return true;
}

function skipTest(state: State): void {
  const end = state.text.slice(state.index).search(/\s\]\](?=[\s;&|)]|$)/);
  if (end < 0) throw new NotUnderstood();
  state.index += end + 3;
}

/** Takes a redirection with its target, if one begins here. */
function takeRedirect(state: State, redirects: Redirect[]): true | undefined {
  const redirect = /(?:\d+)?(<<<|<<-?|<>|<&|>>|>&|>\||&>>|&>|<|>)(\(?)/y;
  redirect.lastIndex = state.index;
  const [whole, operator = '', substitution] = redirect.exec(state.text) ?? [];
  if (whole === undefined) return undefined;
  state.index += whole.length;
  if (substitution !== '') {
    // <(…) stands for a file's name.
    if (operator !== '<' && operator !== '>') throw new NotUnderstood();
    readNested(state);
    return true;
  }
  skipBlanks(state);
  const target = readWord(state);
  redirects.push({ operator, target });
  if (operator === '<<' || operator === '<<-') state.heredocs.push({ name: target.text, chomp: operator === '<<-' });
  return true;
}
