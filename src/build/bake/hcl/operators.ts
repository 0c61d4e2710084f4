import { add, compare, divide, modulo, multiply, negate } from './decimal.ts';
import type { BinaryOperator } from './syntax.ts';
import { toBool, toDecimal } from './type.ts';
import { equals, type Value } from './value.ts';

/** @throws TypeMismatch, RangeError for a division by zero */
export function applyBinary(operator: BinaryOperator, a: Value, b: Value): Value {
  switch (operator) {
    case '==':
      return equals(a, b);
    case '!=':
      return !equals(a, b);
    case '&&':
      return toBool(a) && toBool(b);
    case '||':
      return toBool(a) || toBool(b);
    default:
      break;
  }
  const [x, y] = [toDecimal(a), toDecimal(b)];
  switch (operator) {
    case '+':
      return add(x, y);
    case '-':
      return add(x, negate(y));
    case '*':
      return multiply(x, y);
    case '/':
      return divide(x, y);
    case '%':
      return modulo(x, y);
    case '<':
      return compare(x, y) < 0;
    case '>':
      return compare(x, y) > 0;
    case '<=':
      return compare(x, y) <= 0;
    case '>=':
      return compare(x, y) >= 0;
  }
}
