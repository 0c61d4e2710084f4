import { errorAt, type Span } from './source.ts';
import type { Expression } from './syntax.ts';
import type { Type } from './type.ts';
import { isMapping, isSequence, type Value } from './value.ts';

/** What an expression can refer to. */
export interface Scope {
  /** Undefined where there is no such variable. */
  variable(name: string, span: Span): Value | undefined;
  /** `target.app` with at least that attribute, or with all of them; undefined where blocks of that type have no value. */
  blockAttribute?(block: string, label: string, attribute: string | undefined, span: Span): Value | undefined;
  callable(name: string): Callable | undefined;
  /** The second argument of `convert`. */
  typeOf(expression: Expression | undefined): Type;
  /** What `[*]` goes through. */
  readonly element?: Value | undefined;
  readonly budget: Budget;
}

/** A scope in which some names are local: loops, parameters and the columns of a matrix hide what has their name outside. */
export function withLocals(scope: Scope, locals: ReadonlyMap<string, Value>): Scope {
  return {
    ...scope,
    variable: (name, span) => (locals.has(name) ? locals.get(name) : scope.variable(name, span)),
    blockAttribute: (block, label, attribute, span) =>
      locals.has(block) ? undefined : scope.blockAttribute?.(block, label, attribute, span),
  };
}

export type Callable = (args: readonly Value[], span: Span) => Value;

/** A function cannot do its work; `argument` is the index of the one that is at fault. */
export class FunctionFailure extends Error {
  readonly argument: number | undefined;
  constructor(message: string, argument?: number) {
    super(message);
    this.argument = argument;
  }
}

const mostSteps = 2_000_000;
/** Expressions, variables and functions within each other; below what the stack of a thread holds. */
const deepest = 800;
const longestText = 4 << 20;
const mostElements = 100_000;

/** What evaluation may use: a definition of a few lines could otherwise fill the memory, or never end. */
export class Budget {
  #steps = 0;
  #depth = 0;

  enter(span: Span): void {
    this.#steps += 1;
    this.#depth += 1;
    if (this.#depth > deepest) throw errorAt(span, `values depend on each other more than ${deepest} deep`);
    this.check(span);
  }

  leave(): void {
    this.#depth -= 1;
  }

  /** Also where errors are caught: what is used up stays so. */
  check(span: Span): void {
    if (this.#steps > mostSteps) throw errorAt(span, `evaluation takes more than ${mostSteps} steps`);
  }

  text(text: string): string {
    if (text.length > longestText) throw new FunctionFailure(`a text becomes longer than ${longestText} characters`);
    return text;
  }

  value(value: Value): Value {
    if (typeof value === 'string') return this.text(value);
    const size =
      value === null ? 0 : isSequence(value) ? value.items.length : isMapping(value) ? value.entries.size : 0;
    if (size > mostElements) throw new FunctionFailure(`a collection gets more than ${mostElements} elements`);
    this.#steps += size;
    return value;
  }
}
