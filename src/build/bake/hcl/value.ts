import { compare, type Decimal, formatDecimal } from './decimal.ts';
import { joined } from './limits.ts';

/** What an expression is worth. */
export type Value = null | boolean | string | Decimal | Sequence | Mapping;

/** A tuple is what brackets write; lists and sets come of types and functions: their elements are of one type. */
export interface Sequence {
  readonly kind: 'tuple' | 'list' | 'set';
  readonly items: readonly Value[];
}

/** An object is what braces write; a map's values are of one type. In the order of their keys. */
export interface Mapping {
  readonly kind: 'object' | 'map';
  readonly entries: ReadonlyMap<string, Value>;
}

export function tuple(items: readonly Value[]): Sequence {
  return { kind: 'tuple', items };
}

export function list(items: readonly Value[]): Sequence {
  return { kind: 'list', items };
}

/** Each element once; texts and numbers in their order. */
export function set(items: readonly Value[]): Sequence {
  const kept: Value[] = [];
  for (const item of items) if (!kept.some((each) => equals(each, item))) kept.push(item);
  if (kept.every((item) => typeof item === 'string')) kept.sort(compareText);
  else if (kept.every(isNumber)) kept.sort(compare);
  return { kind: 'set', items: kept };
}

export function object(entries: Iterable<readonly [string, Value]>): Mapping {
  return mapping('object', entries);
}

export function map(entries: Iterable<readonly [string, Value]>): Mapping {
  return mapping('map', entries);
}

function mapping(kind: Mapping['kind'], entries: Iterable<readonly [string, Value]>): Mapping {
  return { kind, entries: new Map([...new Map(entries)].sort(([a], [b]) => compareText(a, b))) };
}

/** By code points, as bytes of UTF-8 compare. */
export function compareText(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export function isNumber(value: Value): value is Decimal {
  return typeof value === 'object' && value !== null && value.kind === 'number';
}

export function isSequence(value: Value): value is Sequence {
  return typeof value === 'object' && value !== null && 'items' in value;
}

export function isMapping(value: Value): value is Mapping {
  return typeof value === 'object' && value !== null && 'entries' in value;
}

/** Of one type and one worth. */
export function equals(a: Value, b: Value): boolean {
  if (isNumber(a) && isNumber(b)) return compare(a, b) === 0;
  if (isSequence(a) && isSequence(b)) {
    return (
      a.kind === b.kind &&
      a.items.length === b.items.length &&
      a.items.every((item, index) => equals(item, b.items[index] ?? null))
    );
  }
  if (isMapping(a) && isMapping(b)) {
    if (a.kind !== b.kind || a.entries.size !== b.entries.size) return false;
    return [...a.entries].every(([key, item]) => b.entries.has(key) && equals(item, b.entries.get(key) ?? null));
  }
  return a === b;
}

/** What a value is, for messages. */
export function nameOf(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'object') return value.kind;
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** Without blanks, keys in order. @throws FunctionFailure where it is too long */
export function toJsonText(value: Value): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return jsonText(value);
  if (isNumber(value)) return formatDecimal(value);
  if (isSequence(value)) return joined(['[', joined(value.items.map(toJsonText), ','), ']']);
  const entries = [...value.entries].map(([key, item]) => joined([jsonText(key), ':', toJsonText(item)]));
  return joined(['{', joined(entries, ','), '}']);
}

/** As Go writes it: nothing that HTML could mistake for a tag. */
function jsonText(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    '<': '\\u003c',
    '>': '\\u003e',
    '&': '\\u0026',
    '\u2028': '\\u2028',
    '\u2029': '\\u2029',
  };
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? character);
}
