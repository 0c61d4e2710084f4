import { argumentForms, jsonSpans } from '../arguments.ts';
import { type Span, shift } from '../span.ts';
import { isSpace } from '../text.ts';
import type { Item } from './item.ts';
import { formatJsonString } from './json.ts';
import { isOldPair, isPairList, isWordList, type Parts, spanBehindKeyword } from './parts.ts';
import { asWritten } from './written.ts';

/** The keyword, in capitals; what is not made of plain letters is no keyword. */
export function keywordItem({ split: { name, nameSpan } }: Parts): Item {
  return { span: nameSpan, text: upperCase(name), gap: '', breaks: false };
}

/** The flags as they are written, and the `--` that may end them. */
export function flagItems(parts: Parts): Item[] {
  const { flagSpans, nameSpan, restStart } = parts.split;
  const from = flagSpans.at(-1)?.end ?? nameSpan.end;
  const dashes = parts.written.line.slice(from, restStart).indexOf('--');
  const spans = dashes < 0 ? flagSpans : [...flagSpans, { start: from + dashes, end: from + dashes + 2 }];
  return spans.map((span) => itemAt(parts, span));
}

/** What stands behind the flags. */
export function argumentItems(parts: Parts): Item[] {
  const { split, instruction } = parts;
  if (split.rest === '') return [];
  const span = { start: split.restStart, end: split.restStart + split.rest.length };
  if (parts.name === 'healthcheck') return healthcheckItems(parts, span);
  if (instruction.json) return jsonItems(parts, span);
  return isPairList(parts) || isWordList(parts) ? wordItems(parts) : [itemAt(parts, span)];
}

/** All that stands behind the keyword, as one. */
export function wholeItems(parts: Parts): Item[] {
  const span = spanBehindKeyword(parts);
  return span.start < span.end ? [itemAt(parts, span)] : [];
}

function itemAt({ written }: Parts, span: Span): Item {
  return { span, text: asWritten(written, span), gap: ' ', breaks: false };
}

function upperCase(word: string): string {
  return /^[a-z]+$/i.test(word) ? word.toUpperCase() : word;
}

function wordItems(parts: Parts): Item[] {
  const spans = wordSpans(parts).map((span) => shift(span, parts.split.restStart));
  const items = spans.map((span) => itemAt(parts, span));
  if (parts.name !== 'from' || items.length !== 3) return items;
  return items.map((item, index) => (index === 1 && /^as$/i.test(item.text) ? { ...item, text: 'AS' } : item));
}

function wordSpans(parts: Parts): Span[] {
  const spans = argumentForms.get(parts.name)?.spans(parts.split.rest, parts.written.escape) ?? [];
  if (!isPairList(parts) || parts.name === 'arg') return spans;
  const pairs = spans.flatMap((name, index) => (index % 3 === 0 ? [{ name, value: spans[index + 1] ?? name }] : []));
  return pairs.flatMap(({ name, value }) =>
    isOldPair(parts) ? [name, value] : [{ start: name.start, end: value.end }],
  );
}

/** CMD or NONE, then the command. */
function healthcheckItems(parts: Parts, { start, end }: Span): Item[] {
  const { line } = parts.written;
  const kindEnd = start + (/^\S*/.exec(line.slice(start, end))?.[0].length ?? 0);
  let from = kindEnd;
  while (from < end && isSpace(line[from])) from++;
  const kind = itemAt(parts, { start, end: kindEnd });
  const command = { start: from, end };
  const known = /^(?:cmd|none)$/i.test(kind.text) ? { ...kind, text: upperCase(kind.text) } : kind;
  if (from === end) return [known];
  return [known, ...(parts.instruction.json ? jsonItems(parts, command) : [itemAt(parts, command)])];
}

/** Brackets and strings, so that lines can break between them. */
function jsonItems(parts: Parts, { start, end }: Span): Item[] {
  const { line } = parts.written;
  const strings = jsonSpans(line.slice(start, end)).map((span) => stringItem(parts, shift(span, start)));
  const last = strings.length - 1;
  return [
    { ...itemAt(parts, { start, end: start + 1 }), text: '[' },
    ...strings.map((item, index) => ({
      ...item,
      gap: index === 0 ? ('' as const) : item.gap,
      text: index === last ? item.text : `${item.text},`,
    })),
    { ...itemAt(parts, { start: end - 1, end }), gap: '', indent: '' },
  ];
}

/** A string that is spread over lines stays as it is. */
function stringItem(parts: Parts, span: Span): Item {
  const item = itemAt(parts, span);
  return item.text.includes('\n') ? item : { ...item, text: formatJsonString(item.text) };
}
