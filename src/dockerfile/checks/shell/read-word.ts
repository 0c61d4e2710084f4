import type { ShellWord } from './script.ts';

/** A text on its way to commands. */
export interface Reader {
  readonly text: string;
  index: number;
  /** How many `${` are open. */
  braces: number;
  /** Reads the commands of `$(…)`: begins behind the parenthesis and ends behind its match. */
  readonly nested: () => void;
}

/** `${…}` within `${…}`, deeper than which nobody means it. */
const maxBraces = 100;

/** Thrown where a text is no shell script, or more of one than is understood here. */
export class NotUnderstood extends Error {}

/** Characters that end a word where they are not quoted. */
const breaks = ' \t\r\n;&|()<>';

interface Draft {
  readonly parts: string[];
  expands: boolean;
  quoted: boolean;
}

/** The word at the reader's index, which has one. @throws NotUnderstood */
export function readWord(reader: Reader): ShellWord {
  const { text } = reader;
  const start = reader.index;
  const draft: Draft = { parts: [], expands: false, quoted: false };
  while (reader.index < text.length) {
    const character = text[reader.index] ?? '';
    if (breaks.includes(character)) break;
    if (!readSpecial(reader, draft, character)) {
      draft.parts.push(character);
      reader.index++;
    }
  }
  if (reader.index === start) throw new NotUnderstood();
  return { text: draft.parts.join(''), expands: draft.expands, quoted: draft.quoted, start, end: reader.index };
}

/** Reads what a character outside of quotes begins; false where it stands for itself. */
function readSpecial(reader: Reader, draft: Draft, character: string): boolean {
  switch (character) {
    case "'":
      readSingle(reader, draft);
      return true;
    case '"':
      readDouble(reader, draft);
      return true;
    case '\\':
      readEscape(reader, draft);
      return true;
    case '$':
      readDollar(reader, draft);
      return true;
    case '`':
      readBackquoted(reader, draft);
      return true;
    default:
      return false;
  }
}

function readSingle(reader: Reader, draft: Draft): void {
  const end = reader.text.indexOf("'", reader.index + 1);
  if (end < 0) throw new NotUnderstood();
  draft.parts.push(reader.text.slice(reader.index + 1, end));
  draft.quoted = true;
  reader.index = end + 1;
}

function readDouble(reader: Reader, draft: Draft): void {
  const { text } = reader;
  draft.quoted = true;
  reader.index++;
  while (text[reader.index] !== '"') {
    const character = text[reader.index];
    if (character === undefined) throw new NotUnderstood();
    if (character === '$') readDollar(reader, draft);
    else if (character === '`') readBackquoted(reader, draft);
    else if (character === '\\' && /["$`\\\n]/.test(text[reader.index + 1] ?? '')) readEscape(reader, draft);
    else {
      draft.parts.push(character);
      reader.index++;
    }
  }
  reader.index++;
}

function readEscape(reader: Reader, draft: Draft): void {
  const escaped = reader.text[reader.index + 1] ?? '\\';
  if (escaped !== '\n') draft.parts.push(escaped);
  draft.quoted = true;
  reader.index += 2;
  if (reader.index > reader.text.length) reader.index = reader.text.length;
}

function readBackquoted(reader: Reader, draft: Draft): void {
  const { text } = reader;
  let end = reader.index + 1;
  while (text[end] !== '`') {
    if (end >= text.length) throw new NotUnderstood();
    end += text[end] === '\\' ? 2 : 1;
  }
  expansion(reader, draft, end + 1);
}

function readDollar(reader: Reader, draft: Draft): void {
  const { text, index } = reader;
  const next = text[index + 1];
  if (next === '(') {
    const arithmetic = arithmeticEnd(text, index + 1);
    if (arithmetic !== undefined) return expansion(reader, draft, arithmetic);
    reader.index = index + 2;
    reader.nested();
    const end = reader.index;
    reader.index = index;
    return expansion(reader, draft, end);
  }
  if (next === '{') return expansion(reader, draft, bracedEnd(reader));
  if (next === "'") {
    const ansi = /'(?:[^'\\]|\\.)*'/sy;
    ansi.lastIndex = index + 1;
    const found = ansi.exec(text)?.[0];
    if (found === undefined) throw new NotUnderstood();
    return expansion(reader, draft, index + 1 + found.length);
  }
  const name = /[A-Za-z_]\w*|[0-9@*#?$!-]/y;
  name.lastIndex = index + 1;
  const found = name.exec(text)?.[0];
  if (found !== undefined) return expansion(reader, draft, index + 1 + found.length);
  draft.parts.push('$');
  reader.index++;
}

function expansion(reader: Reader, draft: Draft, end: number): void {
  draft.parts.push(reader.text.slice(reader.index, end));
  draft.expands = true;
  reader.index = end;
}

/** Where `((…))` that begins at `from` ends; undefined where it is none. */
export function arithmeticEnd(text: string, from: number): number | undefined {
  if (!text.startsWith('((', from)) return undefined;
  let depth = 0;
  for (let index = from; index < text.length; index++) {
    if (text[index] === '(') depth++;
    else if (text[index] === ')' && --depth === 0) return text[index - 1] === ')' ? index + 1 : undefined;
  }
  return undefined;
}

/** Where `${…}` ends; what is within is read, but no part of the word's text. */
function bracedEnd(reader: Reader): number {
  const { text, index: start } = reader;
  if (++reader.braces > maxBraces) throw new NotUnderstood();
  const draft: Draft = { parts: [], expands: false, quoted: false };
  reader.index += 2;
  while (text[reader.index] !== '}') {
    const character = text[reader.index];
    if (character === undefined) throw new NotUnderstood();
    if (!readSpecial(reader, draft, character)) reader.index++;
  }
  const end = reader.index + 1;
  reader.braces--;
  reader.index = start;
  return end;
}
