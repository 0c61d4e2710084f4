import { FunctionFailure } from '../hcl/limits.ts';
import { convert, toText, type Type } from '../hcl/type.ts';
import { isMapping, isSequence, list, map, nameOf, object, type Value } from '../hcl/value.ts';
import { checkEntry, parseEntries, parseSsh } from './entries.ts';
import { type Entry, type FieldName, fields, type FieldValue, type SshEntry } from './target.ts';

/**
 * An evaluated value as that of an attribute; undefined for null.
 * @throws FunctionFailure, TypeMismatch
 */
export function fieldFrom(name: FieldName, value: Value): FieldValue | undefined {
  if (value === null) return undefined;
  const { kind } = fields[name];
  switch (kind) {
    case 'text':
      return toText(value);
    case 'flag':
      return convert(value, 'bool') as boolean;
    case 'texts':
      return textsFrom(value);
    case 'map':
      return mapFrom(name, value);
    case 'entries':
      return entriesFrom(name as Parameters<typeof parseEntries>[0], value);
    case 'ssh':
      return elements(value).map(sshFrom);
  }
}

function textsFrom(value: Value): readonly string[] {
  if (!isSequence(value)) throw new FunctionFailure(`a list of texts is required, but it is a ${nameOf(value)}`);
  return value.items.map((item, index) => {
    if (item === null) throw new FunctionFailure(`element ${index} is null; an empty text would be left out`);
    return toText(item);
  });
}

/** Null says nothing: an argument keeps the value that the Dockerfile gives it. */
function mapFrom(name: FieldName, value: Value): Readonly<Record<string, string>> {
  if (!isMapping(value)) throw new FunctionFailure(`a map is required, but it is a ${nameOf(value)}`);
  const kept = [...value.entries].filter(([, item]) => item !== null);
  return Object.fromEntries(
    kept.map(([key, item]) => {
      if (item !== null && (isSequence(item) || isMapping(item)))
        throw new FunctionFailure(`${name}.${key} must be a text, but it is a ${nameOf(item)}`);
      return [key, toText(item)];
    }),
  );
}

function elements(value: Value): readonly Value[] {
  if (!isSequence(value)) throw new FunctionFailure(`a list is required, but it is a ${nameOf(value)}`);
  return value.items.filter((item) => item !== null && item !== '');
}

function entriesFrom(name: Parameters<typeof parseEntries>[0], value: Value): readonly Entry[] {
  return elements(value).flatMap((item) => {
    if (typeof item === 'string') return parseEntries(name, item);
    if (!isMapping(item))
      throw new FunctionFailure(`an element must be an object or a text, but it is a ${nameOf(item)}`);
    return [checkEntry(name, mapFrom(name, item))];
  });
}

const sshType: Type = {
  object: { id: { type: 'string', optional: true }, paths: { type: { list: 'string' }, optional: true } },
};

function sshFrom(item: Value): SshEntry {
  if (typeof item === 'string') return parseSsh(item);
  const converted = convert(item, sshType);
  if (!isMapping(converted)) throw new FunctionFailure('an element must be an object or a text');
  const id = converted.entries.get('id') ?? '';
  const paths = converted.entries.get('paths') ?? null;
  return { id: toText(id), paths: paths === null ? [] : textsFrom(paths) };
}

/** What another attribute sees of this one (`target.app.args`). */
export function valueOfField(name: FieldName, value: FieldValue | undefined): Value {
  if (value === undefined) return null;
  switch (fields[name].kind) {
    case 'text':
    case 'flag':
      return value as string | boolean;
    case 'texts':
      return list(value as readonly string[]);
    case 'map':
      return map(Object.entries(value as Readonly<Record<string, string>>));
    case 'entries':
      return list((value as readonly Entry[]).map((entry) => map(Object.entries(entry))));
    case 'ssh':
      return list(
        (value as readonly SshEntry[]).map(({ id, paths }) =>
          object([
            ['id', id],
            ['paths', list(paths)],
          ]),
        ),
      );
  }
}
