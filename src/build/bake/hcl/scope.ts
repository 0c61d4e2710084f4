import { FunctionFailure, limits } from './limits.ts';
import { errorAt, type Span } from './source.ts';
import { isMapping, isSequence, type Value } from './value.ts';

/** What an expression can refer to. */
export interface Scope {
  /** Undefined where there is no such variable. */
  variable(name: string, span: Span): Value | undefined;
  /** `target.app` with at least that attribute, or with all of them; undefined where blocks of that type have no value. */
  blockAttribute?(block: string, label: string, attribute: string | undefined, span: Span): Value | undefined;
  callable(name: string): Callable | undefined;
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

/** What evaluation has used of the limits. */
export class Budget {
  #steps = 0;
  #depth = 0;
  #characters = 0;

  enter(span: Span): void {
    this.#steps += 1;
    this.#depth += 1;
    if (this.#depth > limits.depth) throw errorAt(span, `values depend on each other more than ${limits.depth} deep`);
    this.check(span);
  }

  leave(): void {
    this.#depth -= 1;
  }

  /** Also where errors are caught: what is used up stays so. */
  check(span: Span): void {
    if (this.#steps > limits.steps) throw errorAt(span, `evaluation takes more than ${limits.steps} steps`);
    if (this.#characters > limits.texts)
      throw errorAt(span, `evaluation makes more than ${limits.texts} characters of text`);
  }

  text(text: string): string {
    if (text.length > limits.text) throw new FunctionFailure(`a text becomes longer than ${limits.text} characters`);
    this.#characters += text.length;
    return text;
  }

  value(value: Value): Value {
    if (typeof value === 'string') return this.text(value);
    const size =
      value === null ? 0 : isSequence(value) ? value.items.length : isMapping(value) ? value.entries.size : 0;
    if (size > limits.elements) throw new FunctionFailure(`a collection gets more than ${limits.elements} elements`);
    this.#steps += size;
    return value;
  }
}
