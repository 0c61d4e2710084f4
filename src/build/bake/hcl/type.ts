import { type Decimal, formatDecimal, parseDecimal } from './decimal.ts';
import {
  isMapping,
  isNumber,
  isSequence,
  list,
  map,
  type Mapping,
  nameOf,
  object,
  set,
  tuple,
  type Value,
} from './value.ts';

/** What a variable or a parameter may be. */
export type Type =
  | 'any'
  | 'string'
  | 'number'
  | 'bool'
  | { readonly list: Type }
  | { readonly set: Type }
  | { readonly map: Type }
  | { readonly tuple: readonly Type[] }
  | { readonly object: Readonly<Record<string, Attribute>> };

export interface Attribute {
  readonly type: Type;
  readonly optional: boolean;
}

/** A type in words, as bake lists it. */
export function describeType(type: Type): string {
  if (type === 'any') return 'any type';
  if (typeof type === 'string') return type;
  if ('list' in type) return `list of ${describeType(type.list)}`;
  if ('set' in type) return `set of ${describeType(type.set)}`;
  if ('map' in type) return `map of ${describeType(type.map)}`;
  return 'tuple' in type ? 'tuple' : 'object';
}

/** Whether nothing in it is left open. */
export function isPrimitive(type: Type): type is 'string' | 'number' | 'bool' {
  return type === 'string' || type === 'number' || type === 'bool';
}

/** A value that is not of the type that is wanted; whoever knows the place says where. */
export class TypeMismatch extends Error {}

/**
 * The value as one of `type`. Numbers and truths become texts and texts become them where they spell one; a tuple becomes a list.
 * @throws TypeMismatch
 */
export function convert(value: Value, type: Type): Value {
  if (type === 'any' || value === null) return value;
  if (type === 'string') return toText(value);
  if (type === 'number') return toDecimal(value);
  if (type === 'bool') return toBool(value);
  if ('list' in type) return list(elementsOf(value, type.list, 'list'));
  if ('set' in type) return set(elementsOf(value, type.set, 'set'));
  if ('map' in type) return toMap(value, type.map);
  return 'tuple' in type ? toTuple(value, type.tuple) : toObject(value, type.object);
}

/** @throws TypeMismatch */
export function toText(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (isNumber(value)) return formatDecimal(value);
  throw mismatch('string', value);
}

/** @throws TypeMismatch */
export function toDecimal(value: Value): Decimal {
  if (isNumber(value)) return value;
  const parsed = typeof value === 'string' ? parseDecimal(value) : undefined;
  if (parsed !== undefined) return parsed;
  throw typeof value === 'string' ? new TypeMismatch('a number is required') : mismatch('number', value);
}

/** @throws TypeMismatch */
export function toBool(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw typeof value === 'string' ? new TypeMismatch('a bool is required: true or false') : mismatch('bool', value);
}

function mismatch(wanted: string, value: Value): TypeMismatch {
  return new TypeMismatch(`${wanted} required, but it is ${value === null ? 'null' : `a ${nameOf(value)}`}`);
}

function elementsOf(value: Value, type: Type, wanted: string): readonly Value[] {
  if (!isSequence(value)) throw mismatch(wanted, value);
  return type === 'any' ? unify(value.items) : value.items.map((item) => within('element', () => convert(item, type)));
}

function toMap(value: Value, type: Type): Mapping {
  if (!isMapping(value)) throw mismatch('map', value);
  const keys = [...value.entries.keys()];
  const values = [...value.entries.values()];
  const items =
    type === 'any'
      ? unify(values)
      : values.map((item, index) => within(`value of ${JSON.stringify(keys[index])}`, () => convert(item, type)));
  return map(keys.map((key, index) => [key, items[index] ?? null] as const));
}

function toTuple(value: Value, types: readonly Type[]): Value {
  if (!isSequence(value) || value.kind === 'set') throw mismatch('tuple', value);
  if (value.items.length !== types.length)
    throw new TypeMismatch(`a tuple of ${types.length} elements is required, but it has ${value.items.length}`);
  return tuple(
    value.items.map((item, index) => within(`element ${index}`, () => convert(item, types[index] ?? 'any'))),
  );
}

function toObject(value: Value, attributes: Readonly<Record<string, Attribute>>): Value {
  if (!isMapping(value)) throw mismatch('object', value);
  const entries = Object.entries(attributes).map(([name, { type, optional }]) => {
    const found = value.entries.get(name);
    if (found === undefined && !optional) throw new TypeMismatch(`attribute ${JSON.stringify(name)} is required`);
    return [name, within(`attribute ${JSON.stringify(name)}`, () => convert(found ?? null, type))] as const;
  });
  return object(entries);
}

function within<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof TypeMismatch ? new TypeMismatch(`${place}: ${error.message}`) : error;
  }
}

/**
 * Values of one type: texts where some are, lists where some are.
 * @throws TypeMismatch where there is no such type
 */
export function unify(values: readonly Value[]): readonly Value[] {
  const kinds = new Set(values.filter((value) => value !== null).map(nameOf));
  if (kinds.size <= 1) return values;
  const known = [...kinds];
  if (kinds.has('string') && known.every((kind) => kind === 'string' || kind === 'number' || kind === 'bool'))
    return values.map((value) => convert(value, 'string'));
  if (known.every((kind) => kind === 'tuple' || kind === 'list' || kind === 'set'))
    return values.map((value) => (value === null ? value : convert(value, { list: 'any' })));
  if (known.every((kind) => kind === 'object' || kind === 'map'))
    return values.map((value) => (value === null ? value : convert(value, { map: 'any' })));
  throw new TypeMismatch(`these are not of one type: ${known.join(', ')}`);
}

/**
 * `value` as one of the type that it shares with `other`: lists of one length part by part, others element by element.
 * @throws TypeMismatch
 */
export function unifyPair(value: Value, other: Value): Value {
  if (value === null || other === null || sameType(value, other)) return value;
  if (isSequence(value) && isSequence(other)) {
    if (value.kind === 'tuple' && other.kind === 'tuple' && value.items.length === other.items.length)
      return tuple(value.items.map((item, index) => unifyPair(item, other.items[index] ?? null)));
    return list(unify([...value.items, ...other.items]).slice(0, value.items.length));
  }
  if (isMapping(value) && isMapping(other)) {
    const keys = [...value.entries.keys()];
    const isAlike = value.entries.size === other.entries.size && keys.every((key) => other.entries.has(key));
    if (isAlike)
      return object([...value.entries].map(([key, item]) => [key, unifyPair(item, other.entries.get(key) ?? null)]));
    const items = unify([...value.entries.values(), ...other.entries.values()]);
    return map(keys.map((key, index) => [key, items[index] ?? null]));
  }
  return unify([value, other])[0] ?? null;
}

function sameType(a: Value, b: Value): boolean {
  if (a === null || b === null || nameOf(a) !== nameOf(b)) return a === null || b === null;
  if (isSequence(a) && isSequence(b)) {
    const isLong = a.kind === 'tuple' && a.items.length !== b.items.length;
    return !isLong && (a.kind !== 'tuple' || a.items.every((item, index) => sameType(item, b.items[index] ?? null)));
  }
  if (isMapping(a) && isMapping(b)) {
    if (a.kind === 'map') return true;
    return (
      a.entries.size === b.entries.size &&
      [...a.entries].every(([key, item]) => b.entries.has(key) && sameType(item, b.entries.get(key) ?? null))
    );
  }
  return true;
}
