/** A number of the language: exact, `digits * 10^exponent`, without trailing zeros. */
export interface Decimal {
  readonly kind: 'number';
  readonly digits: bigint;
  readonly exponent: number;
}

/** Digits that a result keeps: as many as 512 bits hold. */
const precision = 154;
/** A number may be written out; nobody needs one that fills the memory. */
const largestExponent = 1000;

function make(digits: bigint, exponent: number): Decimal {
  if (digits === 0n) return zero;
  let text = digits.toString();
  const sign = text.startsWith('-') ? '-' : '';
  text = text.slice(sign.length);
  let shift = exponent;
  if (text.length > precision) {
    const dropped = text.length - precision;
    const rounded = (BigInt(text.slice(0, precision + 1)) + 5n) / 10n;
    text = rounded.toString();
    shift += dropped;
  }
  const kept = text.replace(/0+$/, '');
  shift += text.length - kept.length;
  if (Math.abs(shift) > largestExponent) throw new RangeError('the number is too large or too small');
  return { kind: 'number', digits: BigInt(sign + kept), exponent: shift };
}

export const zero: Decimal = { kind: 'number', digits: 0n, exponent: 0 };

/** `12`, `-1.50`, `1e3`; undefined for anything else. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', part = '', power = '0'] = match;
  if (whole === '' && part === '') return undefined;
  if (whole.length + part.length > 4 * largestExponent) throw new RangeError('the number is too long');
  return make(BigInt(`${sign === '-' ? '-' : ''}${whole}${part}`), Number(power) - part.length);
}

/** @throws RangeError for what is not finite */
export function decimal(value: number | bigint): Decimal {
  if (typeof value === 'bigint') return make(value, 0);
  const parsed = parseDecimal(String(value));
  if (parsed === undefined) throw new RangeError(`${value} is not a number`);
  return parsed;
}

/** Without an exponent, as short as can be. */
export function formatDecimal({ digits, exponent }: Decimal): string {
  if (exponent >= 0) return `${digits}${'0'.repeat(digits === 0n ? 0 : exponent)}`;
  const negative = digits < 0n;
  const text = (negative ? -digits : digits).toString().padStart(1 - exponent, '0');
  return `${negative ? '-' : ''}${text.slice(0, exponent)}.${text.slice(exponent)}`;
}

export function toNumber(value: Decimal): number {
  return Number(formatDecimal(value));
}

export function isInteger(value: Decimal): boolean {
  return value.exponent >= 0;
}

function aligned(a: Decimal, b: Decimal): readonly [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [a.digits * 10n ** BigInt(a.exponent - exponent), b.digits * 10n ** BigInt(b.exponent - exponent), exponent];
}

export function add(a: Decimal, b: Decimal): Decimal {
  const [x, y, exponent] = aligned(a, b);
  return make(x + y, exponent);
}

export function negate(value: Decimal): Decimal {
  return make(-value.digits, value.exponent);
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return make(a.digits * b.digits, a.exponent + b.exponent);
}

/** @throws RangeError for a division by zero */
export function divide(a: Decimal, b: Decimal): Decimal {
  if (b.digits === 0n) throw new RangeError('division by zero');
  const shift = 2 * precision;
  return make((a.digits * 10n ** BigInt(shift)) / b.digits, a.exponent - b.exponent - shift);
}

/** What is left of a division towards zero. @throws RangeError for a division by zero */
export function modulo(a: Decimal, b: Decimal): Decimal {
  if (b.digits === 0n) throw new RangeError('division by zero');
  const [x, y, exponent] = aligned(a, b);
  return make(x % y, exponent);
}

export function compare(a: Decimal, b: Decimal): number {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The integer below. */
export function floor(value: Decimal): Decimal {
  if (isInteger(value)) return value;
  const unit = 10n ** BigInt(-value.exponent);
  const towardsZero = value.digits / unit;
  return make(value.digits < 0n ? towardsZero - 1n : towardsZero, 0);
}

export function ceil(value: Decimal): Decimal {
  return negate(floor(negate(value)));
}

export function truncate(value: Decimal): Decimal {
  return value.digits < 0n ? ceil(value) : floor(value);
}

/** Of an integer. */
export function toBigInt(value: Decimal): bigint {
  return value.digits * 10n ** BigInt(Math.max(0, value.exponent));
}
