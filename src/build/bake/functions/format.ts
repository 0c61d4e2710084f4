import { compare, type Decimal, formatDecimal, isInteger, toBigInt, toNumber, zero } from '../hcl/decimal.ts';
import { FunctionFailure, limits } from '../hcl/limits.ts';
import { toBool, toDecimal, toText, TypeMismatch } from '../hcl/type.ts';
import { isSequence, list, toJsonText, type Value } from '../hcl/value.ts';
import { define, type Functions } from './define.ts';
import { characters } from './text.ts';

const signature = { params: ['string'], rest: 'any', nullable: true } as const;

export const formatFunctions: Functions = {
  format: define(signature, ([spec, ...args]) => format(spec as string, args)),
  formatlist: define(signature, ([spec, ...args]) => formatList(spec as string, args)),
};

/** Flags, width, precision, the number of the argument, and the verb. */
const verb = /%(?:%|([ #0+-]*)(\d*)(?:\.(\d*))?(?:\[(\d+)\])?([a-zA-Z]))/g;

interface Spec {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly letter: string;
}

export function format(text: string, args: readonly Value[]): string {
  let next = 0;
  let used = 0;
  let last = 0;
  let result = '';
  for (const match of text.matchAll(verb)) {
    const between = text.slice(last, match.index);
    if (between.includes('%')) throw new FunctionFailure('a "%" begins no verb; "%%" stands for itself', 0);
    last = match.index + match[0].length;
    result += between;
    const [whole, flags = '', width = '', precision, index, letter] = match;
    if (letter === undefined) {
      result += '%';
      continue;
    }
    const at = index === undefined ? next : Number(index) - 1;
    next = at + 1;
    used = Math.max(used, next);
    if (at >= args.length || at < 0) throw new FunctionFailure(`there is no argument for ${whole}`, 0);
    if (Number(width) > 1000 || Number(precision ?? 0) > 1000) throw new FunctionFailure(`${whole} is too wide`, 0);
    const spec = {
      flags,
      width: Number(width),
      precision: precision === undefined ? undefined : Number(precision),
      letter,
    };
    result += pad(one(spec, args[at] ?? null, at + 1), spec);
  }
  const rest = text.slice(last);
  if (rest.includes('%')) throw new FunctionFailure('a "%" begins no verb; "%%" stands for itself', 0);
  if (used < args.length) throw new FunctionFailure(`${args.length - used} more arguments than verbs`, used + 1);
  return result + rest;
}

function one(spec: Spec, value: Value, argument: number): string {
  const { letter, precision, flags } = spec;
  try {
    switch (letter) {
      case 'v':
        return general(spec, value);
      case 's':
        return cut(toText(notNull(value)), precision);
      case 'q':
        return JSON.stringify(cut(toText(notNull(value)), precision));
      case 't':
        return String(toBool(notNull(value)));
      case 'd':
      case 'b':
      case 'o':
      case 'x':
      case 'X':
        return whole(spec, toDecimal(notNull(value)));
      case 'f':
      case 'e':
      case 'E':
      case 'g':
      case 'G':
        return signed(floating(spec, toDecimal(notNull(value))), flags);
      default:
        throw new FunctionFailure(`there is no verb %${letter}`, 0);
    }
  } catch (error) {
    throw error instanceof TypeMismatch ? new FunctionFailure(error.message, argument) : error;
  }
}

function notNull(value: Value): Value {
  if (value === null) throw new TypeMismatch('it is null');
  return value;
}

function general(spec: Spec, value: Value): string {
  if (spec.flags.includes('#')) return toJsonText(value);
  if (typeof value === 'string') return cut(value, spec.precision);
  return value === null || typeof value === 'boolean' ? String(value) : toJsonText(value);
}

function cut(text: string, length: number | undefined): string {
  return length === undefined ? text : characters(text).slice(0, length).join('');
}

function whole(spec: Spec, value: Decimal): string {
  const base = { d: 10, b: 2, o: 8, x: 16, X: 16 }[spec.letter] ?? 10;
  if (!isInteger(value)) throw new TypeMismatch('a whole number is required');
  const text = toBigInt(value).toString(base);
  return signed(spec.letter === 'X' ? text.toUpperCase() : text, spec.flags);
}

function floating({ letter, precision }: Spec, value: Decimal): string {
  if (letter === 'f') return fixedPoint(value, precision ?? 6);
  const number = toNumber(value);
  if (letter === 'e' || letter === 'E') return goExponent(number.toExponential(Math.min(precision ?? 6, 100)), letter);
  if (precision === undefined) return compactForm(formatDecimal(value), number, letter);
  const text = number.toPrecision(Math.min(Math.max(1, precision), 100));
  return goExponent(text.includes('.') && !text.includes('e') ? text.replace(/\.?0+$/, '') : text, letter);
}

function compactForm(text: string, number: number, letter: string): string {
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-4 || size >= 1e21)) return goExponent(number.toExponential(), letter);
  return text;
}

/** Two digits at least. */
function goExponent(text: string, letter: string): string {
  const padded = text.replace(/e([+-])(\d)$/, 'e$10$2');
  return letter === 'E' || letter === 'G' ? padded.toUpperCase() : padded;
}

function fixedPoint(value: Decimal, places: number): string {
  const isNegative = compare(value, zero) < 0;
  const shift = value.exponent + places;
  const digits = isNegative ? -value.digits : value.digits;
  const scaled = shift >= 0 ? digits * 10n ** BigInt(shift) : half(digits, 10n ** BigInt(-shift));
  const text = scaled.toString().padStart(places + 1, '0');
  const result = places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
  return isNegative ? `-${result}` : result;
}

/** Rounded to the nearest; a half to the even one. */
function half(digits: bigint, unit: bigint): bigint {
  const [quotient, rest] = [digits / unit, digits % unit];
  const up = rest * 2n > unit || (rest * 2n === unit && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

function signed(text: string, flags: string): string {
  if (text.startsWith('-')) return text;
  return flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text;
}

function pad(text: string, { flags, width, letter }: Spec): string {
  const missing = width - characters(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || !'dboxXfeEgG'.includes(letter)) return ' '.repeat(missing) + text;
  const sign = /^[+\- ]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

/** One text for each element; what is no list stands in all of them. */
function formatList(spec: string, args: readonly Value[]): Value {
  const lengths = new Set(args.filter(isSequence).map(({ items }) => items.length));
  if (lengths.size > 1) throw new FunctionFailure('the lists are of different lengths');
  const [count = 1] = lengths;
  const made: string[] = [];
  let length = 0;
  for (let index = 0; index < count; index++) {
    const own = args.map((arg) => (isSequence(arg) ? (arg.items[index] ?? null) : arg));
    const text = format(spec, own);
    length += text.length;
    if (length > limits.text) throw new FunctionFailure(`the texts become longer than ${limits.text} characters`);
    made.push(text);
  }
  return list(made);
}
