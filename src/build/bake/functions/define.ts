import { type Decimal, isInteger, toNumber } from '../hcl/decimal.ts';
import { FunctionFailure } from '../hcl/limits.ts';
import type { Callable } from '../hcl/scope.ts';
import { convert, type Type, TypeMismatch } from '../hcl/type.ts';
import { isMapping, isSequence, type Mapping, nameOf, type Sequence, type Value } from '../hcl/value.ts';

export type Functions = Readonly<Record<string, Callable>>;

export interface Signature {
  readonly params: readonly Type[];
  /** Further arguments, any number of them. */
  readonly rest?: Type;
  /** Further arguments that may be missing. */
  readonly optional?: number;
  /** Null is an argument like others. */
  readonly nullable?: boolean;
}

/** What conversion gives for a parameter of a type. */
type Given<T> = T extends 'string' ? string : T extends 'number' ? Decimal : T extends 'bool' ? boolean : Value;
type GivenAll<P extends readonly Type[]> = { [I in keyof P]: Given<P[I]> };

/** A function of fixed parameters, whose arguments are converted before it is called. */
export function fixed<const P extends readonly Type[]>(params: P, work: (...args: GivenAll<P>) => Value): Callable {
  return define({ params }, (args) => work(...(args as unknown as GivenAll<P>)));
}

/** A function whose arguments are checked and converted before its work. */
export function define(signature: Signature, work: (args: readonly Value[]) => Value): Callable {
  const { params, rest, optional = 0 } = signature;
  return (args) => {
    const least = params.length - optional;
    if (args.length < least || (rest === undefined && args.length > params.length))
      throw new FunctionFailure(`takes ${countOf(least, params.length, rest)}, but got ${args.length}`);
    return work(args.map((arg, index) => argument(arg, params[index] ?? rest ?? 'any', { index, signature })));
  };
}

function countOf(least: number, most: number, rest: Type | undefined): string {
  const noun = (count: number): string => `${count} argument${count === 1 ? '' : 's'}`;
  if (rest !== undefined) return `at least ${noun(least)}`;
  return least === most ? noun(least) : `${least} to ${noun(most)}`;
}

function argument(value: Value, type: Type, { index, signature }: { index: number; signature: Signature }): Value {
  if (value === null && signature.nullable !== true) throw new FunctionFailure('the argument must not be null', index);
  try {
    return convert(value, type);
  } catch (error) {
    if (error instanceof TypeMismatch) throw new FunctionFailure(error.message, index);
    throw error;
  }
}

/** @throws FunctionFailure */
export function integer(value: Value, index?: number): number {
  const number = typeof value === 'object' && value !== null && value.kind === 'number' ? value : undefined;
  if (number === undefined || !isInteger(number)) throw new FunctionFailure('a whole number is required', index);
  const result = toNumber(number);
  if (!Number.isSafeInteger(result)) throw new FunctionFailure('the number is too large', index);
  return result;
}

/** An argument that must be a list, set or tuple; `index` for the error. @throws FunctionFailure */
export function sequence(value: Value, index?: number): Sequence {
  if (isSequence(value)) return value;
  throw new FunctionFailure(`a list is required, but it is a ${nameOf(value)}`, index);
}

/** An argument that must be a map or object; `index` for the error. @throws FunctionFailure */
export function mapping(value: Value, index?: number): Mapping {
  if (isMapping(value)) return value;
  throw new FunctionFailure(`a map is required, but it is a ${nameOf(value)}`, index);
}

/** A list of texts as such. */
export function texts(value: Value): readonly string[] {
  return sequence(value).items.map((item) => {
    if (typeof item !== 'string') throw new FunctionFailure('its elements must not be null');
    return item;
  });
}
