import { add, compare, decimal, type Decimal, isInteger, toNumber, zero } from '../hcl/decimal.ts';
import { FunctionFailure } from '../hcl/limits.ts';
import { convert, toDecimal, toText, TypeMismatch, unify } from '../hcl/type.ts';
import {
  equals,
  isMapping,
  isNumber,
  isSequence,
  list,
  map,
  object,
  type Sequence,
  tuple,
  type Value,
} from '../hcl/value.ts';
import { define, fixed, type Functions, integer, mapping, sequence, texts } from './define.ts';

const strings = { list: 'string' } as const;

export const collectionFunctions: Functions = {
  length: fixed(['any'], (value) => decimal(isMapping(value) ? value.entries.size : sequence(value, 0).items.length)),
  concat: define({ params: ['any'], rest: 'any' }, concat),
  coalesce: define({ params: [], rest: 'any', nullable: true }, coalesce),
  coalescelist: define({ params: [], rest: 'any', nullable: true }, (args) => {
    const found = args.find((arg) => arg !== null && sequence(arg).items.length > 0);
    return found ?? fail('there is no list with an element');
  }),
  compact: fixed([strings], (items) => list(texts(items).filter((item) => item !== ''))),
  contains: define({ params: ['any', 'any'] }, ([items = null, wanted = null]) =>
    sequence(items, 0).items.some((item) => equals(item, wanted)),
  ),
  distinct: fixed([{ list: 'any' }], (items) => {
    const kept: Value[] = [];
    for (const item of sequence(items).items) if (!kept.some((each) => equals(each, item))) kept.push(item);
    return list(kept);
  }),
  chunklist: fixed([{ list: 'any' }, 'number'], (items, size) => chunks(sequence(items), integer(size, 1))),
  element: fixed(['any', 'number'], (items, index) => elementAt(sequence(items, 0), integer(index, 1))),
  flatten: fixed(['any'], (items) => tuple(flatten(sequence(items, 0).items))),
  hasindex: fixed(['any', 'any'], hasIndex),
  index: fixed(['any', 'any'], indexed),
  indexof: fixed(['any', 'any'], (items, wanted) => {
    const found = sequence(items, 0).items.findIndex((item) => equals(item, wanted));
    return found < 0 ? fail('item not found') : decimal(found);
  }),
  keys: fixed(['any'], (value) => {
    const keys = [...mapping(value, 0).entries.keys()];
    return isMapping(value) && value.kind === 'map' ? list(keys) : tuple(keys);
  }),
  values: fixed(['any'], (value) => {
    const values = [...mapping(value, 0).entries.values()];
    return isMapping(value) && value.kind === 'map' ? list(values) : tuple(values);
  }),
  lookup: define({ params: ['any', 'string', 'any'], optional: 1, nullable: true }, lookup),
  merge: define({ params: [], rest: 'any', nullable: true }, merge),
  range: define({ params: ['number'], rest: 'number' }, (args) => range(args as readonly Decimal[])),
  reverselist: fixed(['any'], (value) => {
    const { kind, items } = sequence(value, 0);
    return kind === 'tuple' ? tuple(items.toReversed()) : list(items.toReversed());
  }),
  slice: fixed(['any', 'number', 'number'], (items, start, end) =>
    slice(sequence(items, 0), integer(start, 1), integer(end, 2)),
  ),
  zipmap: fixed([strings, 'any'], (keys, values) => zip(texts(keys), sequence(values, 1))),
};

function fail(why: string): never {
  throw new FunctionFailure(why);
}

function concat(args: readonly Value[]): Value {
  const sequences = args.map((arg, index) => sequence(arg, index));
  const items = sequences.flatMap((each) => each.items);
  return sequences.every(({ kind }) => kind === 'list') ? list(unify(items)) : tuple(items);
}

/** The first that is not null; an empty text is a value like others. */
function coalesce(args: readonly Value[]): Value {
  const values = args.filter((arg) => arg !== null);
  if (values.length === 0) fail('all arguments are null');
  try {
    return unify(values)[0] ?? null;
  } catch (error) {
    throw error instanceof TypeMismatch ? new FunctionFailure(error.message) : error;
  }
}

function chunks({ items }: Sequence, size: number): Value {
  if (size < 0) fail('the size must not be negative');
  const result: Value[] = [];
  const step = size === 0 ? Math.max(1, items.length) : size;
  for (let at = 0; at < items.length; at += step) result.push(list(items.slice(at, at + step)));
  return list(result);
}

/** Counts round and round. */
function elementAt({ items }: Sequence, index: number): Value {
  if (items.length === 0) fail('an empty list has no elements');
  const at = ((index % items.length) + items.length) % items.length;
  return items[at] ?? null;
}

function flatten(items: readonly Value[]): Value[] {
  return items.flatMap((item) => (isSequence(item) ? flatten(item.items) : [item]));
}

function hasIndex(collection: Value, key: Value): boolean {
  if (isMapping(collection)) return typeof key === 'string' && collection.entries.has(key);
  const { items } = sequence(collection, 0);
  return isNumber(key) && isInteger(key) && compare(key, zero) >= 0 && toNumber(key) < items.length;
}

function indexed(collection: Value, key: Value): Value {
  if (isMapping(collection))
    return collection.entries.get(toText(key)) ?? fail(`there is no element ${JSON.stringify(toText(key))}`);
  const { items } = sequence(collection, 0);
  return items[integer(toDecimal(key), 1)] ?? fail('there is no such element');
}

function lookup([collection = null, key = null, fallback]: readonly Value[]): Value {
  const { entries, kind } = mapping(collection, 0);
  const name = toText(key);
  const found = entries.get(name);
  if (found !== undefined) return found;
  if (fallback === undefined) fail(`there is no element ${JSON.stringify(name)}`);
  const [sample] = entries.values();
  return kind === 'map' && typeof sample === 'string' ? convert(fallback, 'string') : fallback;
}

function merge(args: readonly Value[]): Value {
  const mappings = args.filter((arg) => arg !== null).map((arg, index) => mapping(arg, index));
  const entries = mappings.flatMap((each) => [...each.entries]);
  return mappings.length > 0 && mappings.every(({ kind }) => kind === 'map') ? map(entries) : object(entries);
}

/** `range(end)`, `range(start, end)`, `range(start, end, step)` */
function range(args: readonly Decimal[]): Value {
  if (args.length > 3) fail(`takes 1 to 3 arguments, but got ${args.length}`);
  const [start, end] = args.length === 1 ? [zero, args[0]] : [args[0], args[1]];
  if (start === undefined || end === undefined) return list([]);
  const downwards = compare(end, start) < 0;
  const step = args[2] ?? decimal(downwards ? -1 : 1);
  if (compare(step, zero) === 0) fail('the step must not be zero');
  if (compare(step, zero) < 0 !== downwards && compare(start, end) !== 0)
    fail(
      downwards
        ? 'the end is below the start, so the step must be negative'
        : 'the end is above the start, so the step must be positive',
    );
  const values: Value[] = [];
  for (let at = start; compare(at, end) * (downwards ? -1 : 1) < 0; at = add(at, step)) {
    if (values.length >= 1024) fail('more than 1024 values would be made');
    values.push(at);
  }
  return list(values);
}

function slice({ kind, items }: Sequence, start: number, end: number): Value {
  if (kind === 'set') fail('a set has no order to cut from');
  if (start < 0 || end > items.length || start > end)
    fail(`the range ${start} to ${end} is not within the ${items.length} elements of the list`);
  return (kind === 'tuple' ? tuple : list)(items.slice(start, end));
}

function zip(keys: readonly string[], values: Sequence): Value {
  if (keys.length !== values.items.length) fail(`there are ${keys.length} keys for ${values.items.length} values`);
  const entries = keys.map((key, index) => [key, values.items[index] ?? null] as const);
  return values.kind === 'tuple' ? object(entries) : map(entries);
}
