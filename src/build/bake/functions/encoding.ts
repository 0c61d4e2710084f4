import { createHash } from 'node:crypto';
import { parseDecimal } from '../hcl/decimal.ts';
import { type JsonNode, parseJson } from '../hcl/json.ts';
import { FunctionFailure } from '../hcl/limits.ts';
import { list, object, toJsonText, tuple, type Value } from '../hcl/value.ts';
import { messageOf } from '../../../errors.ts';
import { parseCsv } from '../definition/csv.ts';
import { define, fixed, type Functions } from './define.ts';

export const encodingFunctions: Functions = {
  base64encode: fixed(['string'], (text) => Buffer.from(text).toString('base64')),
  base64decode: fixed(['string'], decodeBase64),
  urlencode: fixed(['string'], urlEncode),
  jsonencode: define({ params: ['any'], nullable: true }, ([value = null]) => toJsonText(value)),
  jsondecode: fixed(['string'], decodeJson),
  csvdecode: fixed(['string'], decodeCsv),
  md5: fixed(['string'], (text) => digest('md5', text)),
  sha1: fixed(['string'], (text) => digest('sha1', text)),
  sha256: fixed(['string'], (text) => digest('sha256', text)),
  sha512: fixed(['string'], (text) => digest('sha512', text)),
  uuidv5: fixed(['string', 'string'], uuidOfName),
  bcrypt: define({ params: [], rest: 'any' }, () =>
    declined('bcrypt', 'a hash that differs each time makes every build another one'),
  ),
  rsadecrypt: define({ params: [], rest: 'any' }, () =>
    declined('rsadecrypt', 'a secret belongs into the attribute "secret"'),
  ),
};

function declined(name: string, why: string): never {
  throw new FunctionFailure(`${name} is not supported: ${why}`);
}

function digest(algorithm: string, text: string): string {
  return createHash(algorithm).update(text).digest('hex');
}

function decodeBase64(text: string): string {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text.replace(/[\r\n]/g, '')))
    throw new FunctionFailure('this is not base64', 0);
  const bytes = Buffer.from(text, 'base64');
  if (!bytes.equals(Buffer.from(bytes.toString())))
    throw new FunctionFailure('what it decodes to is not text in UTF-8', 0);
  return bytes.toString();
}

/** As a form's values are written: blanks are plus signs. */
function urlEncode(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decodeJson(text: string): Value {
  try {
    return valueOfJson(parseJson({ name: 'jsondecode', text }));
  } catch (error) {
    throw new FunctionFailure(`this is not JSON: ${messageOf(error)}`, 0);
  }
}

export function valueOfJson(node: JsonNode): Value {
  switch (node.kind) {
    case 'plain':
      return node.value;
    case 'string':
      return node.text;
    case 'number':
      return parseDecimal(node.text) ?? null;
    case 'array':
      return tuple(node.items.map(valueOfJson));
    case 'object':
      return object(node.properties.map(({ name, value }) => [name, valueOfJson(value)] as const));
  }
}

/** The first line names the columns; each other one becomes an object. */
function decodeCsv(text: string): Value {
  const [head = [], ...rows] = parseCsv(text);
  if (new Set(head).size < head.length) throw new FunctionFailure('two columns have one name', 0);
  return list(
    rows.map((row, index) => {
      if (row.length !== head.length)
        throw new FunctionFailure(`line ${index + 2} has ${row.length} fields, not ${head.length}`, 0);
      return object(head.map((name, column) => [name, row[column] ?? ''] as const));
    }),
  );
}

const namespaces: Readonly<Record<string, string>> = {
  dns: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  url: '6ba7b811-9dad-11d1-80b4-00c04fd430c8',
  oid: '6ba7b812-9dad-11d1-80b4-00c04fd430c8',
  x500: '6ba7b814-9dad-11d1-80b4-00c04fd430c8',
};

/** RFC 9562 §5.5 */
function uuidOfName(namespace: string, name: string): string {
  const id = (namespaces[namespace] ?? namespace).replaceAll('-', '');
  if (!/^[0-9a-fA-F]{32}$/.test(id)) throw new FunctionFailure('a namespace is dns, url, oid, x500 or a UUID', 0);
  const bytes = createHash('sha1').update(Buffer.from(id, 'hex')).update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
