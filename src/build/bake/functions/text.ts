import { decimal } from '../hcl/decimal.ts';
import { FunctionFailure, joined } from '../hcl/limits.ts';
import { compareText, list, type Value } from '../hcl/value.ts';
import { cleanPath } from '../definition/paths.ts';
import { define, fixed, type Functions, integer, texts } from './define.ts';

const strings = { list: 'string' } as const;

/** What a reader sees as one character. */
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

export function characters(text: string): string[] {
  return [...segmenter.segment(text)].map(({ segment }) => segment);
}

export const textFunctions: Functions = {
  upper: fixed(['string'], (text) => text.toUpperCase()),
  lower: fixed(['string'], (text) => text.toLowerCase()),
  title: fixed(['string'], titled),
  reverse: fixed(['string'], (text) => characters(text).reverse().join('')),
  strlen: fixed(['string'], (text) => decimal(characters(text).length)),
  byteslen: fixed(['string'], (text) => decimal(Buffer.byteLength(text))),
  substr: fixed(['string', 'number', 'number'], (text, offset, length) =>
    substring(text, integer(offset, 1), integer(length, 2)),
  ),
  bytesslice: fixed(['string', 'number', 'number'], (text, offset, length) =>
    bytesSlice(text, integer(offset, 1), integer(length, 2)),
  ),
  chomp: fixed(['string'], (text) => text.replace(/(?:\r\n|\n|\r)+$/, '')),
  indent: fixed(['number', 'string'], (width, text) => joined(text.split('\n'), `\n${' '.repeat(indentWidth(width))}`)),
  trim: fixed(['string', 'string'], (text, cut) => trimEnd(trimStart(text, cut), cut)),
  trimprefix: fixed(['string', 'string'], (text, prefix) =>
    text.startsWith(prefix) ? text.slice(prefix.length) : text,
  ),
  trimsuffix: fixed(['string', 'string'], (text, suffix) =>
    suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text,
  ),
  trimspace: fixed(['string'], (text) => text.trim()),
  split: fixed(['string', 'string'], (separator, text) =>
    list(separator === '' ? Array.from(text) : text.split(separator)),
  ),
  join: define({ params: ['string'], rest: strings }, ([separator, ...lists]) =>
    joined(lists.flatMap(texts), separator as string),
  ),
  replace: fixed(['string', 'string', 'string'], (text, from, to) => joined(text.split(from), to)),
  sort: fixed([strings], (items) => list(texts(items).toSorted(compareText))),
  basename: fixed(['string'], baseName),
  dirname: fixed(['string'], directoryName),
  sanitize: fixed(['string'], (name) => name.replace(/[^a-zA-Z0-9_-]/gu, '_')),
};

/** A letter begins a word after all but letters, digits and underscores. */
function titled(text: string): string {
  return text.replace(
    /(^|[^\p{L}\p{N}_])(\p{L})/gu,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );
}

function indentWidth(width: Value): number {
  const spaces = integer(width, 0);
  if (spaces < 0 || spaces > 1000) throw new FunctionFailure('the width is a number from 0 to 1000', 0);
  return spaces;
}

function substring(text: string, offset: number, length: number): string {
  const all = characters(text);
  const start = offset < 0 ? Math.max(0, all.length + offset) : offset;
  if (length === 0) return '';
  return (length < 0 ? all.slice(start) : all.slice(start, start + length)).join('');
}

function bytesSlice(text: string, offset: number, length: number): string {
  const bytes = Buffer.from(text);
  if (offset < 0 || length < 0 || offset + length > bytes.length)
    throw new FunctionFailure(`the range is not within the ${bytes.length} bytes of the text`);
  return bytes.subarray(offset, offset + length).toString();
}

function trimStart(text: string, cut: string): string {
  const all = Array.from(text);
  const from = all.findIndex((each) => !cut.includes(each));
  return from < 0 ? '' : all.slice(from).join('');
}

function trimEnd(text: string, cut: string): string {
  const all = Array.from(text);
  return all.slice(0, all.findLastIndex((each) => !cut.includes(each)) + 1).join('');
}

function baseName(path: string): string {
  if (path === '') return '.';
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

function directoryName(path: string): string {
  return cleanPath(path.slice(0, path.lastIndexOf('/') + 1));
}
