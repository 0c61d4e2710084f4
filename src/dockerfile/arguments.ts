import type { Escape } from './ast.ts';
import { DockerfileError } from './error.ts';
import { quote } from './quote.ts';
import { cut, isSpace, trim, trimStart } from './text.ts';

/** What the text behind an instruction's name and flags says. */
export interface Arguments {
  readonly args: readonly string[];
  readonly json: boolean;
}

type Form = (text: string, escape: Escape) => Arguments;

const blanks = /[\t\v\f\r ]+/;

/** How each instruction's arguments are split (lower-case names). ONBUILD, whose argument is an instruction, is not here. */
export const argumentForms: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['add', jsonOrWords],
  ['arg', names],
  ['cmd', jsonOrText],
  ['copy', jsonOrWords],
  ['entrypoint', jsonOrText],
  ['env', pairs('ENV')],
  ['expose', words],
  ['from', words],
  ['healthcheck', healthcheck],
  ['label', pairs('LABEL')],
  ['maintainer', whole],
  ['run', jsonOrText],
  ['shell', jsonOrText],
  ['stopsignal', whole],
  ['user', whole],
  ['volume', jsonOrWords],
  ['workdir', whole],
]);

/** A name, its flags and the rest of a logical line. */
export function splitInstruction(line: string, escape: Escape): { name: string; flags: string[]; rest: string } {
  const text = trim(line);
  const blank = blanks.exec(text);
  if (blank === null) return { name: text, flags: [], rest: '' };
  const { flags, rest } = takeFlags(text.slice(blank.index + blank[0].length), escape);
  return { name: text.slice(0, blank.index), flags, rest: trim(rest) };
}

/** Takes words off the front as long as they begin with `--`; `--` alone ends them. */
function takeFlags(text: string, escape: Escape): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let index = 0;
  for (;;) {
    while (index < text.length && isSpace(text[index])) index++;
    if (!text.startsWith('--', index)) return { flags, rest: text.slice(index) };
    const word = readFlag(text, index, escape);
    index = word.end;
    if (word.text === '--' && !word.quoted) return { flags, rest: text.slice(index) };
    if (word.text !== '' || word.quoted) flags.push(word.text);
  }
}

function readFlag(text: string, start: number, escape: Escape): { text: string; quoted: boolean; end: number } {
  const parts: string[] = [];
  let open: string | undefined;
  let quoted = false;
  let index = start;
  for (; index < text.length; index++) {
    const character = text[index] ?? '';
    if (character === escape) {
      if (index + 1 < text.length) parts.push(text[++index] ?? '');
    } else if (open !== undefined) {
      if (character === open) open = undefined;
      else parts.push(character);
    } else if (isSpace(character)) break;
    else if (character === '"' || character === "'") {
      open = character;
      quoted = true;
    } else parts.push(character);
  }
  return { text: parts.join(''), quoted, end: index };
}

function whole(text: string): Arguments {
  return { args: text === '' ? [] : [text], json: false };
}

function words(text: string): Arguments {
  return { args: text === '' ? [] : text.split(blanks), json: false };
}

function jsonOrText(text: string): Arguments {
  const list = parseJson(text);
  return list === undefined ? whole(text) : { args: list, json: true };
}

function jsonOrWords(text: string): Arguments {
  const list = parseJson(text);
  return list === undefined ? words(text) : { args: list, json: true };
}

/** A JSON array of strings; undefined for what is no JSON array, which is then a shell form. */
function parseJson(text: string): string[] | undefined {
  const trimmed = trimStart(text);
  if (!trimmed.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(trimmed);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  return value.map((element: unknown) => {
    if (typeof element === 'string') return element.toWellFormed();
    throw new DockerfileError('SYNTAX', 'when using JSON array syntax, arrays must be comprised of strings only');
  });
}

/** The check's kind, then its command. */
function healthcheck(text: string): Arguments {
  const kind = /^\S*/.exec(text)?.[0] ?? '';
  if (kind === '') return { args: [], json: false };
  const command = jsonOrText(trimStart(text.slice(kind.length)));
  return { args: [kind, ...command.args], json: command.json };
}

function names(text: string, escape: Escape): Arguments {
  return { args: quotedWords(text, escape), json: false };
}

/** `name=value …`, or the old `name value`, where the value is all the rest. */
function pairs(instruction: string): Form {
  return (text, escape) => {
    const found = quotedWords(text, escape);
    const [first] = found;
    if (first === undefined) return { args: [], json: false };
    if (!first.includes('=')) {
      const blank = blanks.exec(text);
      if (blank === null) throw new DockerfileError('SYNTAX', `${instruction} must have two arguments`);
      return { args: [text.slice(0, blank.index), text.slice(blank.index + blank[0].length), ''], json: false };
    }
    const args = found.flatMap((word) => {
      const pair = cut(word, '=');
      if (pair !== undefined) return [...pair, '='];
      throw new DockerfileError(
        'SYNTAX',
        `Syntax error - can't find = in ${quote(word)}. Must be of the form: name=value`,
      );
    });
    return { args, json: false };
  };
}

/** Words parted by blanks outside quotes; quotes and escapes stay for the expansion to take off. */
function quotedWords(text: string, escape: Escape): string[] {
  const found: string[] = [];
  let start: number | undefined;
  let open: string | undefined;
  const close = (end: number) => {
    if (start !== undefined && end > start) found.push(text.slice(start, end).toWellFormed());
    start = undefined;
  };
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (open === undefined && isSpace(character)) {
      close(index);
      continue;
    }
    start ??= index;
    if (character === escape && open !== "'") {
      if (index + 1 === text.length) close(index); // at the end it just falls away
      index++;
    } else if (open !== undefined) {
      if (character === open) open = undefined;
    } else if (character === '"' || character === "'") open = character;
  }
  close(text.length);
  return found;
}
