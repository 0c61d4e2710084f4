import { decimal } from '../hcl/decimal.ts';
import { FunctionFailure } from '../hcl/limits.ts';
import { describeType, isPrimitive, type Type } from '../hcl/type.ts';
import { isNumber, list, map, nameOf, set, tuple, type Value } from '../hcl/value.ts';
import { parseJson } from '../hcl/json.ts';
import { valueOfJson } from '../functions/encoding.ts';
import { convert } from '../hcl/type.ts';
import { csvFields, parseCsv } from './csv.ts';
import { parseBool } from './entries.ts';

/** What the environment, or `--var`, says for a variable. */
export interface Override {
  readonly text: string;
  /** It came under the name with `_JSON` behind it. */
  readonly isJson: boolean;
}

export interface VariableFacts {
  readonly name: string;
  /** Undefined where none is declared. */
  readonly type: Type | undefined;
  /** Undefined where there is none. */
  readonly fallback: Value | undefined;
}

/**
 * A variable's worth by its override: read as its declared type, or as that of its default.
 * @throws FunctionFailure, TypeMismatch
 */
export function overridden({ name, type, fallback }: VariableFacts, { text, isJson }: Override): Value {
  if (type === undefined) return byExample(name, fallback ?? null, text);
  if (isJson) return convert(valueOfJson(parseJson({ name: `${name}_JSON`, text })), type);
  if (isPrimitive(type)) return primitive(name, type, text);
  if (type === 'any') return byExample(name, fallback ?? null, text);
  return collection(name, type, text);
}

function byExample(name: string, example: Value, text: string): Value {
  if (example === null || typeof example === 'string') return text;
  if (typeof example === 'boolean') return primitive(name, 'bool', text);
  if (isNumber(example)) return primitive(name, 'number', text);
  throw new FunctionFailure(`variable ${name} is a ${nameOf(example)}: it needs a type to be set from outside`);
}

function primitive(name: string, type: 'string' | 'number' | 'bool', text: string): Value {
  if (type === 'string') return text;
  try {
    return type === 'bool' ? parseBool(text) : numberFrom(text);
  } catch {
    throw new FunctionFailure(`variable ${name} is set to ${JSON.stringify(text)}, which is not a ${type}`);
  }
}

function numberFrom(text: string): Value {
  const value = text.trim() === text && text !== '' ? Number(text) : Number.NaN;
  return decimal(value);
}

/** Comma-separated; a map's keys and values are parted by a colon. */
function collection(name: string, type: Exclude<Type, string>, text: string): Value {
  const fields = csvFields(text);
  if ('list' in type) return list(fields.map((field) => element(name, type.list, field)));
  if ('set' in type) return set(fields.map((field) => element(name, type.set, field)));
  if ('tuple' in type) {
    if (type.tuple.length !== fields.length)
      throw new FunctionFailure(`variable ${name} has ${type.tuple.length} elements, but ${fields.length} are given`);
    return tuple(fields.map((field, index) => element(name, type.tuple[index] ?? 'string', field)));
  }
  if (!('map' in type)) throw new FunctionFailure(`variable ${name} is an object: set ${name}_JSON instead`);
  return map(
    fields.map((field) => {
      const [pair = []] = parseCsv(field, ':');
      const [key, value, ...others] = pair;
      if (key === undefined || value === undefined || others.length > 0)
        throw new FunctionFailure(`variable ${name}: ${JSON.stringify(field)} is not key:value`);
      return [key, element(name, type.map, value)] as const;
    }),
  );
}

function element(name: string, type: Type, text: string): Value {
  if (!isPrimitive(type))
    throw new FunctionFailure(
      `variable ${name}: elements of type ${describeType(type)} cannot be read from text; set ${name}_JSON`,
    );
  return primitive(name, type, text);
}
