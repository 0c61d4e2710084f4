import type { Escape } from './ast.ts';
import { DockerfileError } from './error.ts';
import { quote } from './quote.ts';
import { type Span, shift } from './span.ts';
import { cut, isSpace, trimEnd, trimStart } from './text.ts';

/** What the text behind an instruction's name and flags says. */
export interface Arguments {
  readonly args: readonly string[];
  readonly json: boolean;
}

/** How the arguments of an instruction are written. */
interface Form {
  read(text: string, escape: Escape): Arguments;
  /** Where each of `args` stands in `text`, quotes included. */
  spans(text: string, escape: Escape): Span[];
}

const blanks = /[\t\v\f\r ]+/g;

/** A logical line as its first parts; offsets count in the line. */
export interface SplitLine {
  readonly name: string;
  readonly nameSpan: Span;
  /** Quotes and escapes removed. */
  readonly flags: readonly string[];
  /** Of each flag as written. */
  readonly flagSpans: readonly Span[];
  /** What is left, without blanks around it. */
  readonly rest: string;
  readonly restStart: number;
}

/** A name, its flags and the rest of a logical line. */
export function splitInstruction(line: string, escape: Escape): SplitLine {
  const end = trimEnd(line).length;
  const start = line.length - trimStart(line).length;
  blanks.lastIndex = start;
  const blank = blanks.exec(line);
  const nameEnd = blank === null || blank.index >= end ? Math.max(start, end) : blank.index;
  const head = { name: line.slice(start, nameEnd), nameSpan: { start, end: nameEnd } };
  if (nameEnd >= end) return { ...head, flags: [], flagSpans: [], rest: '', restStart: nameEnd };
  const { flags, flagSpans, index } = takeFlags(line.slice(0, end), nameEnd, escape);
  return { ...head, flags, flagSpans, rest: line.slice(index, end), restStart: index };
}

/** Takes words off from `index` as long as they begin with `--`; `--` alone ends them. */
function takeFlags(text: string, from: number, escape: Escape) {
  const flags: string[] = [];
  const flagSpans: Span[] = [];
  let index = from;
  const skipBlanks = () => {
    while (index < text.length && isSpace(text[index])) index++;
  };
  for (;;) {
    skipBlanks();
    if (!text.startsWith('--', index)) return { flags, flagSpans, index };
    const word = readFlag(text, index, escape);
    const span = { start: index, end: word.end };
    index = word.end;
    if (word.text === '--') {
      skipBlanks();
      return { flags, flagSpans, index };
    }
    if (word.text === '' && !word.quoted) continue;
    flags.push(word.text);
    flagSpans.push(span);
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

const whole: Form = {
  read: (text) => ({ args: text === '' ? [] : [text], json: false }),
  spans: (text) => (text === '' ? [] : [{ start: 0, end: text.length }]),
};

const words: Form = {
  read: (text) => ({ args: text === '' ? [] : text.split(blanks), json: false }),
  spans: (text) =>
    Array.from(text.matchAll(/[^\t\v\f\r ]+/g), ({ 0: { length }, index }) => ({ start: index, end: index + length })),
};

/** How each instruction's arguments are split (lower-case names). ONBUILD, whose argument is an instruction, is not here. */
export const argumentForms: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['add', jsonOr(words)],
  ['arg', { read: names, spans: quotedSpans }],
  ['cmd', jsonOr(whole)],
  ['copy', jsonOr(words)],
  ['entrypoint', jsonOr(whole)],
  ['env', { read: pairs('ENV'), spans: pairSpans }],
  ['expose', words],
  ['from', words],
  ['healthcheck', { read: healthcheck, spans: healthcheckSpans }],
  ['label', { read: pairs('LABEL'), spans: pairSpans }],
  ['maintainer', whole],
  ['run', jsonOr(whole)],
  ['shell', jsonOr(whole)],
  ['stopsignal', whole],
  ['user', whole],
  ['volume', jsonOr(words)],
  ['workdir', whole],
]);

/** A JSON array where the text is one. */
function jsonOr(form: Form): Form {
  return {
    read(text, escape) {
      const list = parseJson(text);
      return list === undefined ? form.read(text, escape) : { args: list, json: true };
    },
    spans: (text, escape) => (parseJson(text) === undefined ? form.spans(text, escape) : jsonSpans(text)),
  };
}

/** The strings of what is known to be an array of strings. */
export function jsonSpans(text: string): Span[] {
  return Array.from(text.matchAll(/"(?:[^"\\]|\\.)*"/g), ({ 0: { length }, index }) => ({
    start: index,
    end: index + length,
  }));
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

/** The check's kind, then its command; blanks of other scripts belong to these. */
function healthcheck(text: string, escape: Escape): Arguments {
  const { kind, command } = splitHealthcheck(text);
  if (kind === '') return { args: [], json: false };
  const { args, json } = healthcheckCommand.read(command, escape);
  return { args: [kind, ...args], json };
}

function splitHealthcheck(text: string): { kind: string; command: string } {
  const [, kind = '', command = ''] = /^([^\t\n\v\f\r ]*)[\t\n\v\f\r ]*(.*)$/s.exec(text) ?? [];
  return { kind, command };
}

const healthcheckCommand = jsonOr(whole);

function healthcheckSpans(text: string, escape: Escape): Span[] {
  const { kind, command } = splitHealthcheck(text);
  const start = text.length - command.length;
  return [
    { start: 0, end: kind.length },
    ...healthcheckCommand.spans(command, escape).map((span) => shift(span, start)),
  ];
}

function names(text: string, escape: Escape): Arguments {
  return { args: quotedWords(text, escape), json: false };
}

/** `name=value …`, or the old `name value`, where the value is all the rest. */
function pairs(instruction: string): Form['read'] {
  return (text, escape) => {
    const args: string[] = [];
    let old = false;
    eachQuotedWord(text, escape, (start, end) => {
      const word = text.slice(start, end).toWellFormed();
      const pair = cut(word, '=');
      if (pair !== undefined) args.push(pair[0], pair[1], '=');
      else if (args.length > 0) throw noPair(word);
      else old = true;
      return !old;
    });
    return { args: old ? oldPair(text, instruction) : args, json: false };
  };
}

function noPair(word: string): DockerfileError {
  const message = `Syntax error - can't find = in ${quote(word)}. Must be of the form: name=value`;
  return new DockerfileError('SYNTAX', message, { part: { text: word } });
}

function oldPair(text: string, instruction: string): string[] {
  blanks.lastIndex = 0;
  const blank = blanks.exec(text);
  if (blank === null) throw new DockerfileError('SYNTAX', `${instruction} must have two arguments`);
  return [text.slice(0, blank.index), text.slice(blank.index + blank[0].length), ''];
}

/** Name, value and separator of each pair, as `pairs` gives them. */
function pairSpans(text: string, escape: Escape): Span[] {
  const found = quotedSpans(text, escape);
  const [first] = found;
  if (first === undefined) return [];
  if (!text.slice(first.start, first.end).includes('=')) {
    blanks.lastIndex = 0;
    const { index = text.length, 0: blank = '' } = blanks.exec(text) ?? {};
    const value = index + blank.length;
    return [
      { start: 0, end: index },
      { start: value, end: text.length },
      { start: index, end: value },
    ];
  }
  return found.flatMap(({ start, end }) => {
    const equals = text.indexOf('=', start);
    return [
      { start, end: equals },
      { start: equals + 1, end },
      { start: equals, end: equals + 1 },
    ];
  });
}

function quotedWords(text: string, escape: Escape): string[] {
  const found: string[] = [];
  eachQuotedWord(text, escape, (start, end) => {
    found.push(text.slice(start, end).toWellFormed());
    return true;
  });
  return found;
}

function quotedSpans(text: string, escape: Escape): Span[] {
  const found: Span[] = [];
  eachQuotedWord(text, escape, (start, end) => {
    found.push({ start, end });
    return true;
  });
  return found;
}

/**
 * Words parted by blanks outside quotes, for as long as `visit` says so; quotes and escapes stay for the expansion to take off.
 */
function eachQuotedWord(text: string, escape: Escape, visit: (start: number, end: number) => boolean): void {
  let start: number | undefined;
  let open: string | undefined;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (open === undefined && isSpace(character)) {
      if (start !== undefined && !visit(start, index)) return;
      start = undefined;
      continue;
    }
    start ??= index;
    if (character === escape && open !== "'") {
      if (index + 1 === text.length) {
        // at the end it just falls away
        if (index > start) visit(start, index);
        return;
      }
      index++;
    } else if (open !== undefined) {
      if (character === open) open = undefined;
    } else if (character === '"' || character === "'") open = character;
  }
  if (start !== undefined) visit(start, text.length);
}
