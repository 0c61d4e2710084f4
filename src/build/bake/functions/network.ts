import { FunctionFailure } from '../hcl/limits.ts';
import { type Decimal, isInteger, toBigInt } from '../hcl/decimal.ts';
import { list, type Value } from '../hcl/value.ts';
import { define, fixed, type Functions, integer } from './define.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';

interface Prefix extends Address {
  readonly length: number;
}

export const networkFunctions: Functions = {
  cidrhost: fixed(['string', 'number'], (prefix, number) => host(parsePrefix(prefix), number)),
  cidrnetmask: fixed(['string'], (text) => {
    const prefix = parsePrefix(text);
    if (prefix.width !== 32) throw new FunctionFailure('only IPv4 has netmasks', 0);
    return formatAddress({ width: 32, bits: mask(prefix) });
  }),
  cidrsubnet: fixed(['string', 'number', 'number'], (text, bits, number) =>
    formatPrefix(subnet(parsePrefix(text), integer(bits, 1), wholeNumber(number, 2))),
  ),
  cidrsubnets: define({ params: ['string'], rest: 'number' }, ([text, ...bits]) =>
    list(subnets(parsePrefix(text as string), bits)),
  ),
};

function parsePrefix(text: string): Prefix {
  const [address = '', length = ''] = text.split('/');
  const parsed = parseAddress(address);
  const size = Number(length);
  if (parsed === undefined || !/^\d{1,3}$/.test(length) || size > parsed.width)
    throw new FunctionFailure(`${JSON.stringify(text)} is not a network, such as 10.0.0.0/8`, 0);
  const prefix = { ...parsed, length: size };
  return { ...prefix, bits: prefix.bits & mask(prefix) };
}

function mask({ width, length }: Pick<Prefix, 'width' | 'length'>): bigint {
  return ((1n << BigInt(length)) - 1n) << BigInt(width - length);
}

function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix)}/${prefix.length}`;
}

function wholeNumber(value: Decimal, index: number): bigint {
  if (!isInteger(value)) throw new FunctionFailure('a whole number is required', index);
  return toBigInt(value);
}

/** A negative number counts from the end. */
function host(prefix: Prefix, number: Decimal): string {
  const size = 1n << BigInt(prefix.width - prefix.length);
  const wanted = wholeNumber(number, 1);
  const at = wanted < 0n ? size + wanted : wanted;
  if (at < 0n || at >= size) throw new FunctionFailure(`the network has no host ${wanted}`, 1);
  return formatAddress({ ...prefix, bits: prefix.bits + at });
}

function subnet(prefix: Prefix, bits: number, number: bigint): Prefix {
  const length = prefix.length + bits;
  if (bits < 0 || length > prefix.width) throw new FunctionFailure(`the network has no room for ${bits} more bits`, 1);
  if (number < 0n || number >= 1n << BigInt(bits)) throw new FunctionFailure(`${bits} bits cannot hold ${number}`, 2);
  return { ...prefix, length, bits: prefix.bits + (number << BigInt(prefix.width - length)) };
}

/** One after another, each at the next place that its size allows. */
function subnets(prefix: Prefix, sizes: readonly Value[]): string[] {
  const end = prefix.bits + (1n << BigInt(prefix.width - prefix.length));
  let next = prefix.bits;
  return sizes.map((value, index) => {
    const bits = integer(value, index + 1);
    const length = prefix.length + bits;
    if (bits < 1 || length > prefix.width)
      throw new FunctionFailure(`the network has no room for ${bits} more bits`, index + 1);
    const size = 1n << BigInt(prefix.width - length);
    const start = ((next + size - 1n) / size) * size;
    if (start + size > end) throw new FunctionFailure('the networks do not fit', index + 1);
    next = start + size;
    return formatPrefix({ width: prefix.width, bits: start, length });
  });
}
