import {
  add,
  ceil,
  compare,
  decimal,
  type Decimal,
  divide,
  floor,
  isInteger,
  modulo,
  multiply,
  negate,
  toNumber,
  truncate,
  zero,
} from '../hcl/decimal.ts';
import { FunctionFailure } from '../hcl/limits.ts';
import { equals, type Value } from '../hcl/value.ts';
import { define, fixed, type Functions, integer } from './define.ts';

const two = ['number', 'number'] as const;
const anything = { params: ['any', 'any'], nullable: true } as const;

export const numberFunctions: Functions = {
  absolute: fixed(['number'], (value) => (value.digits < 0n ? negate(value) : value)),
  add: fixed(two, add),
  subtract: fixed(two, (a, b) => add(a, negate(b))),
  multiply: fixed(two, multiply),
  divide: fixed(two, divide),
  modulo: fixed(two, modulo),
  negate: fixed(['number'], negate),
  ceil: fixed(['number'], ceil),
  floor: fixed(['number'], floor),
  int: fixed(['number'], truncate),
  signum: fixed(['number'], (value) => decimal(value.digits < 0n ? -1 : value.digits > 0n ? 1 : 0)),
  min: define({ params: [], rest: 'number' }, (args) => extreme(args, -1)),
  max: define({ params: [], rest: 'number' }, (args) => extreme(args, 1)),
  log: fixed(two, (value, base) => real(Math.log(toNumber(value)) / Math.log(toNumber(base)))),
  pow: fixed(two, power),
  parseint: fixed(['any', 'number'], (text, base) => parseInteger(text, integer(base, 1))),
  equal: define(anything, ([a = null, b = null]) => equals(a, b)),
  notequal: define(anything, ([a = null, b = null]) => !equals(a, b)),
  greaterthan: fixed(two, (a, b) => compare(a, b) > 0),
  greaterthanorequalto: fixed(two, (a, b) => compare(a, b) >= 0),
  lessthan: fixed(two, (a, b) => compare(a, b) < 0),
  lessthanorequalto: fixed(two, (a, b) => compare(a, b) <= 0),
  and: fixed(['bool', 'bool'], (a, b) => a && b),
  or: fixed(['bool', 'bool'], (a, b) => a || b),
  not: fixed(['bool'], (value) => !value),
};

function extreme(args: readonly Value[], sign: 1 | -1): Decimal {
  const numbers = args as readonly Decimal[];
  const [first] = numbers;
  if (first === undefined) throw new FunctionFailure('takes at least 1 argument, but got 0');
  return numbers.reduce((best, each) => (compare(each, best) * sign > 0 ? each : best), first);
}

function real(value: number): Decimal {
  if (!Number.isFinite(value)) throw new FunctionFailure('the result is not a number');
  return decimal(value);
}

/** Exact for whole exponents. */
function power(base: Decimal, exponent: Decimal): Decimal {
  if (!isInteger(exponent) || compare(exponent, zero) < 0 || compare(exponent, decimal(1000)) > 0)
    return real(toNumber(base) ** toNumber(exponent));
  let result = decimal(1);
  for (let count = toNumber(exponent); count > 0; count--) result = multiply(result, base);
  return result;
}

function parseInteger(value: Value, base: number): Decimal {
  if (typeof value !== 'string') throw new FunctionFailure('a text is required', 0);
  if (base < 2 || base > 62) throw new FunctionFailure('the base is a number from 2 to 62', 1);
  const digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  const isNegative = value.startsWith('-');
  const text = value.slice(/^[+-]/.test(value) ? 1 : 0);
  let result = 0n;
  for (const each of text) {
    const digit = digits.indexOf(base <= 36 ? each.toLowerCase() : each);
    if (digit < 0 || digit >= base || text.length > 500)
      throw new FunctionFailure(`${JSON.stringify(value)} is not a whole number in base ${base}`, 0);
    result = result * BigInt(base) + BigInt(digit);
  }
  if (text === '') throw new FunctionFailure(`${JSON.stringify(value)} is not a whole number in base ${base}`, 0);
  return decimal(isNegative ? -result : result);
}
