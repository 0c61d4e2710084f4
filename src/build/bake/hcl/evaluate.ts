import { isInteger, negate, toNumber } from './decimal.ts';
import { applyBinary } from './operators.ts';
import { FunctionFailure, joined } from './limits.ts';
import type { Scope } from './scope.ts';
import { errorAt, type Span } from './source.ts';
import type { Expression } from './syntax.ts';
import { typeFrom } from './type-expression.ts';
import { evaluateFor } from './evaluate-for.ts';
import { convert, toBool, toDecimal, toText, TypeMismatch, unifyPair } from './type.ts';
import { isMapping, isNumber, isSequence, nameOf, object, tuple, type Value } from './value.ts';

type Kind<K extends Expression['kind']> = Expression & { readonly kind: K };

/**
 * What an expression is worth in a scope.
 * @throws BuildError BAKE_INVALID with the position of what is wrong
 */
export function evaluate(expression: Expression, scope: Scope): Value {
  scope.budget.enter(expression.span);
  try {
    return evaluateKind(expression, scope);
  } catch (error) {
    throw located(error, expression.span);
  } finally {
    scope.budget.leave();
  }
}

/** Errors of values and functions get the place of the innermost expression. */
function located(error: unknown, span: Span): unknown {
  const isPlain = error instanceof TypeMismatch || error instanceof FunctionFailure || error instanceof RangeError;
  return isPlain ? errorAt(span, error.message, { cause: error }) : error;
}

function evaluateKind(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'template':
      return scope.budget.text(joined(expression.parts.map((part) => templatePart(part, scope))));
    case 'variable':
      return variable(expression, scope);
    case 'element':
      return scope.element ?? null;
    case 'attribute':
      return attribute(expression, scope);
    case 'index':
      return indexOf(evaluate(expression.object, scope), evaluate(expression.key, scope), expression.span);
    case 'splat':
      return splat(expression, scope);
    case 'call':
      return call(expression, scope);
    case 'unary':
      return unary(expression, scope);
    case 'binary':
      return binary(expression, scope);
    case 'conditional':
      return conditional(expression, scope);
    case 'tuple':
      return tuple(expression.items.map((item) => evaluate(item, scope)));
    case 'object':
      return objectOf(expression, scope);
    case 'for':
      return evaluateFor(expression, scope, evaluate);
  }
}

function templatePart(part: Expression, scope: Scope): string {
  const value = evaluate(part, scope);
  if (value === null) throw errorAt(part.span, 'the value is null, which cannot stand in a text');
  try {
    return toText(value);
  } catch {
    throw errorAt(part.span, `a ${nameOf(value)} cannot stand in a text; see join() and jsonencode()`);
  }
}

function variable({ name, span }: Kind<'variable'>, scope: Scope): Value {
  const value = scope.variable(name, span);
  if (value !== undefined) return value;
  throw errorAt(span, `there is no variable ${JSON.stringify(name)}`);
}

function attribute(expression: Kind<'attribute'>, scope: Scope): Value {
  const value = blockValue(expression, scope);
  return value === undefined ? attributeOf(evaluate(expression.object, scope), expression) : value;
}

/**
 * `target.app.tags` and `target.app`: blocks are looked up by name, so that only what is asked for is evaluated.
 */
function blockValue(expression: Kind<'attribute'>, scope: Scope): Value | undefined {
  const { object: inner, name, span } = expression;
  if (inner.kind === 'variable') return scope.blockAttribute?.(inner.name, name, undefined, span);
  if (inner.kind !== 'attribute' || inner.object.kind !== 'variable') return undefined;
  const block = scope.blockAttribute?.(inner.object.name, inner.name, name, span);
  return block === undefined ? undefined : attributeOf(block, expression);
}

function attributeOf(value: Value, { name, span }: Kind<'attribute'>): Value {
  if (value === null) throw errorAt(span, `attribute ${JSON.stringify(name)} is asked of null`);
  if (!isMapping(value)) throw errorAt(span, `a ${nameOf(value)} has no attributes, such as ${JSON.stringify(name)}`);
  const found = value.entries.get(name);
  if (found === undefined) throw errorAt(span, `there is no attribute ${JSON.stringify(name)}`);
  return found;
}

function indexOf(value: Value, key: Value, span: Span): Value {
  if (value === null) throw errorAt(span, 'an element is asked of null');
  if (isMapping(value)) {
    const found = value.entries.get(toText(key));
    if (found === undefined) throw errorAt(span, `there is no element ${JSON.stringify(toText(key))}`);
    return found;
  }
  if (!isSequence(value) || value.kind === 'set')
    throw errorAt(span, `a ${nameOf(value)} has no elements to choose from`);
  const index = toDecimal(key);
  const found = isInteger(index) ? value.items[toNumber(index)] : undefined;
  if (found === undefined)
    throw errorAt(span, `there is no element ${toText(key)}: the ${value.kind} has ${value.items.length}`);
  return found;
}

function splat({ object: over, each }: Kind<'splat'>, scope: Scope): Value {
  const value = evaluate(over, scope);
  if (value === null) return tuple([]);
  const items = isSequence(value) ? value.items : [value];
  return tuple(items.map((element) => evaluate(each, { ...scope, element })));
}

function call({ name, args, expand, span }: Kind<'call'>, scope: Scope): Value {
  if (name === 'try' || name === 'can') return attempt(name, args, span, scope);
  if (name === 'convert') return converted(args, span, scope);
  const callable = scope.callable(name);
  if (callable === undefined) throw errorAt(span, `there is no function ${JSON.stringify(name)}`);
  const values = args.map((arg) => evaluate(arg, scope));
  if (expand) {
    const last = values.pop();
    if (last === undefined || !isSequence(last)) throw errorAt(args.at(-1)?.span ?? span, '"..." must follow a list');
    values.push(...last.items);
  }
  try {
    return scope.budget.value(callable(values, span));
  } catch (error) {
    const at =
      error instanceof FunctionFailure && error.argument !== undefined ? args[error.argument]?.span : undefined;
    if (error instanceof TypeMismatch || error instanceof FunctionFailure || error instanceof RangeError)
      throw errorAt(at ?? span, `${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** `convert(value, type)`: the second argument is no value. */
function converted(args: readonly Expression[], span: Span, scope: Scope): Value {
  const [value, type] = args;
  if (value === undefined || type === undefined || args.length > 2)
    throw errorAt(span, 'convert takes a value and a type');
  return convert(evaluate(value, scope), typeFrom(type));
}

/** `try` is worth its first argument that can be evaluated, `can` says whether its one can be. */
function attempt(name: 'try' | 'can', args: readonly Expression[], span: Span, scope: Scope): Value {
  let failure: unknown = errorAt(span, `${name} needs an argument`);
  for (const arg of args) {
    try {
      const value = evaluate(arg, scope);
      return name === 'can' ? true : value;
    } catch (error) {
      scope.budget.check(arg.span);
      failure = error;
    }
  }
  if (name === 'can' && args.length === 1) return false;
  throw failure;
}

function unary({ operator, operand }: Kind<'unary'>, scope: Scope): Value {
  const value = required(operand, scope);
  return operator === '!' ? !toBool(value) : negate(toDecimal(value));
}

function binary({ operator, left, right }: Kind<'binary'>, scope: Scope): Value {
  if (operator === '==' || operator === '!=')
    return applyBinary(operator, evaluate(left, scope), evaluate(right, scope));
  const a = required(left, scope);
  // As everywhere in the language, both sides are evaluated; an error on the right counts only where its worth does.
  if (operator === '&&' && !toBool(a)) return false;
  if (operator === '||' && toBool(a)) return true;
  return applyBinary(operator, a, required(right, scope));
}

function required(expression: Expression, scope: Scope): Value {
  const value = evaluate(expression, scope);
  if (value === null) throw errorAt(expression.span, 'the value is null');
  return value;
}

function conditional({ condition, whenTrue, whenFalse, span }: Kind<'conditional'>, scope: Scope): Value {
  const chosen = toBool(required(condition, scope)) ? whenTrue : whenFalse;
  const value = evaluate(chosen, scope);
  const other = quietly(chosen === whenTrue ? whenFalse : whenTrue, scope);
  if (other === undefined || other === null) return value;
  try {
    return unifyPair(value, other);
  } catch {
    throw errorAt(
      span,
      `both results of "?" must be of one type, but they are a ${nameOf(value)} and a ${nameOf(other)}`,
    );
  }
}

/** Only the type of what is not chosen counts, and only where it has one. */
function quietly(expression: Expression, scope: Scope): Value | undefined {
  try {
    return evaluate(expression, scope);
  } catch {
    scope.budget.check(expression.span);
    return undefined;
  }
}

function objectOf({ items }: Kind<'object'>, scope: Scope): Value {
  return object(
    items.map(({ key, value }) => {
      const name = evaluate(key, scope);
      if (name === null) throw errorAt(key.span, 'a key cannot be null');
      if (typeof name !== 'string' && typeof name !== 'boolean' && !isNumber(name))
        throw errorAt(key.span, `a key is a text, not a ${nameOf(name)}`);
      return [toText(name), evaluate(value, scope)] as const;
    }),
  );
}
