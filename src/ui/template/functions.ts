import { UiError } from '../error.ts';
import { printf } from './printf.ts';
import { isList, isRecord, isTrue, toText, type Value } from './value.ts';

type TemplateFunction = (...values: readonly Value[]) => Value;

/** How many values each function takes: least and, where there is one, most. */
interface Definition {
  readonly least: number;
  readonly most: number;
  readonly call: TemplateFunction;
}

const many = Number.POSITIVE_INFINITY;

/** Functions of Go's text/template and of docker's formats. `and` and `or` are evaluated by the caller, which stops early. */
export const functions: ReadonlyMap<string, Definition> = new Map<string, Definition>([
  ['json', { least: 1, most: 1, call: (value) => JSON.stringify(value ?? null) }],
  ['print', { least: 0, most: many, call: (...values) => print(values) }],
  ['println', { least: 0, most: many, call: (...values) => `${values.map(toText).join(' ')}\n` }],
  ['printf', { least: 1, most: many, call: (format, ...values) => printf(text('printf', format), values) }],
  ['len', { least: 1, most: 1, call: length }],
  ['index', { least: 1, most: many, call: index }],
  ['slice', { least: 1, most: 3, call: slice }],
  ['not', { least: 1, most: 1, call: (value) => !isTrue(value) }],
  ['eq', { least: 2, most: many, call: (first, ...rest) => rest.some((value) => equal(first, value)) }],
  ['ne', { least: 2, most: 2, call: (first, second) => !equal(first, second) }],
  ['lt', { least: 2, most: 2, call: (first, second) => compare('lt', first, second) < 0 }],
  ['le', { least: 2, most: 2, call: (first, second) => compare('le', first, second) <= 0 }],
  ['gt', { least: 2, most: 2, call: (first, second) => compare('gt', first, second) > 0 }],
  ['ge', { least: 2, most: 2, call: (first, second) => compare('ge', first, second) >= 0 }],
  ['lower', { least: 1, most: 1, call: (value) => text('lower', value).toLowerCase() }],
  ['upper', { least: 1, most: 1, call: (value) => text('upper', value).toUpperCase() }],
  [
    'title',
    { least: 1, most: 1, call: (value) => text('title', value).replace(/(^|\s)\S/g, (part) => part.toUpperCase()) },
  ],
  ['split', { least: 2, most: 2, call: (value, separator) => text('split', value).split(text('split', separator)) }],
  ['join', { least: 2, most: 2, call: join }],
  ['pad', { least: 3, most: 3, call: pad }],
  [
    'truncate',
    {
      least: 2,
      most: 2,
      call: (value, size) => Array.from(text('truncate', value)).slice(0, number('truncate', size)).join(''),
    },
  ],
]);

function join(list: Value, separator: Value): string {
  if (list === null || list === undefined) return '';
  if (!isList(list)) throw failed('join: expected a list');
  return list.map(toText).join(text('join', separator));
}

/** Go's Sprint: spaces only between operands when neither is a string. */
function print(values: readonly Value[]): string {
  let result = '';
  for (const [position, value] of values.entries()) {
    const previous = values[position - 1];
    if (position > 0 && typeof value !== 'string' && typeof previous !== 'string') result += ' ';
    result += toText(value);
  }
  return result;
}

function length(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (isList(value)) return value.length;
  if (isRecord(value)) return Object.keys(value).length;
  throw failed(`len: ${toText(value)} has no length`);
}

function index(value: Value, ...keys: readonly Value[]): Value {
  let current = value;
  for (const key of keys) {
    if (isList(current)) {
      const position = number('index', key);
      if (position < 0 || position >= current.length) throw failed(`index out of range: ${position}`);
      current = current[position];
    } else if (isRecord(current)) {
      const name = text('index', key);
      current = Object.hasOwn(current, name) ? current[name] : undefined;
    } else {
      throw failed(current === null || current === undefined ? 'index of nil' : `can't index ${toText(current)}`);
    }
  }
  return current;
}

function slice(value: Value, from: Value = 0, to?: Value): Value {
  if (typeof value !== 'string' && !isList(value)) throw failed(`can't slice ${toText(value)}`);
  const start = number('slice', from);
  const end = to === undefined ? value.length : number('slice', to);
  if (start < 0 || end > value.length || start > end) throw failed(`slice out of range: ${start}:${end}`);
  return value.slice(start, end);
}

function pad(value: Value, before: Value, after: Value): string {
  const content = text('pad', value);
  if (content === '') return content;
  return ' '.repeat(number('pad', before)) + content + ' '.repeat(number('pad', after));
}

function equal(first: Value, second: Value): boolean {
  if (isList(first) || isRecord(first) || isList(second) || isRecord(second))
    throw failed('incompatible types for comparison');
  return (first ?? null) === (second ?? null);
}

function compare(name: string, first: Value, second: Value): number {
  if (typeof first === 'number' && typeof second === 'number') return first - second;
  if (typeof first === 'string' && typeof second === 'string') return first < second ? -1 : Number(first > second);
  throw failed(`${name}: incompatible types for comparison`);
}

function text(name: string, value: Value): string {
  if (typeof value !== 'string') throw failed(`${name}: expected text, found ${toText(value)}`);
  return value;
}

function number(name: string, value: Value): number {
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw failed(`${name}: expected an integer, found ${toText(value)}`);
  return value;
}

function failed(problem: string): UiError {
  return new UiError('TEMPLATE_FAILED', `template: ${problem}`);
}
