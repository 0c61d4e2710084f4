import { add, compare, type Decimal, divide, modulo, multiply, negate } from './decimal.ts';
import type { BinaryOperator } from './syntax.ts';
import { toBool, toDecimal } from './type.ts';
import { equals, type Value } from './value.ts';

const general: Readonly<Record<string, (a: Value, b: Value) => Value>> = {
  '==': equals,
  '!=': (a, b) => !equals(a, b),
  '&&': (a, b) => toBool(a) && toBool(b),
  '||': (a, b) => toBool(a) || toBool(b),
};

const ofNumbers: Readonly<Record<string, (a: Decimal, b: Decimal) => Value>> = {
  '+': add,
  '-': (a, b) => add(a, negate(b)),
  '*': multiply,
  '/': divide,
  '%': modulo,
  '<': (a, b) => compare(a, b) < 0,
  '>': (a, b) => compare(a, b) > 0,
  '<=': (a, b) => compare(a, b) <= 0,
  '>=': (a, b) => compare(a, b) >= 0,
};

/** @throws TypeMismatch, RangeError for a division by zero */
export function applyBinary(operator: BinaryOperator, a: Value, b: Value): Value {
  const numeric = ofNumbers[operator];
  if (numeric !== undefined) return numeric(toDecimal(a), toDecimal(b));
  const other = general[operator];
  if (other === undefined) throw new Error(`there is no operator ${operator}`);
  return other(a, b);
}
