import { joined } from './limits.ts';
import { decimal } from './decimal.ts';
import { type Scope, withLocals } from './scope.ts';
import { errorAt } from './source.ts';
import type { Expression, ForExpression } from './syntax.ts';
import { toBool, toText } from './type.ts';
import { isMapping, isSequence, nameOf, object, tuple, type Value } from './value.ts';

type Evaluate = (expression: Expression, scope: Scope) => Value;

/** `[for v in list : …]`, `{for k, v in map : k => v...}`, and `%{ for }` of templates. */
export function evaluateFor(expression: ForExpression & Expression, scope: Scope, evaluate: Evaluate): Value {
  const kept = pairsOf(evaluate(expression.collection, scope), expression).flatMap(([key, value]) => {
    const inner = scopeWith(scope, expression, key, value);
    const { condition } = expression;
    if (condition !== undefined && !isTrue(evaluate(condition, inner), condition)) return [];
    return [inner];
  });
  if (expression.joined)
    return scope.budget.text(joined(kept.map((inner) => toText(evaluate(expression.value, inner)))));
  if (expression.key === undefined) return tuple(kept.map((inner) => evaluate(expression.value, inner)));
  return objectFrom(kept, { ...expression, key: expression.key }, evaluate);
}

function pairsOf(collection: Value, { collection: at }: ForExpression): readonly (readonly [Value, Value])[] {
  if (collection === null) throw errorAt(at.span, '"for" cannot go through null');
  if (isMapping(collection)) return [...collection.entries];
  if (!isSequence(collection)) throw errorAt(at.span, `"for" cannot go through a ${nameOf(collection)}`);
  if (collection.kind === 'set') return collection.items.map((item) => [item, item]);
  return collection.items.map((item, index) => [decimal(index), item]);
}

function scopeWith(scope: Scope, { keyName, valueName }: ForExpression, key: Value, value: Value): Scope {
  const locals = new Map([[valueName, value]]);
  if (keyName !== undefined && keyName !== valueName) locals.set(keyName, key);
  return withLocals(scope, locals);
}

function isTrue(value: Value, at: Expression): boolean {
  if (value === null) throw errorAt(at.span, 'the condition is null');
  return toBool(value);
}

function objectFrom(
  scopes: readonly Scope[],
  { key, value, group }: ForExpression & { readonly key: Expression },
  evaluate: Evaluate,
): Value {
  const found = new Map<string, Value[]>();
  for (const inner of scopes) {
    const name = evaluate(key, inner);
    if (name === null) throw errorAt(key.span, 'a key cannot be null');
    const text = toText(name);
    const values = found.get(text) ?? [];
    if (values.length > 0 && !group)
      throw errorAt(key.span, `two elements have the key ${JSON.stringify(text)}; "..." after the value gathers them`);
    found.set(text, [...values, evaluate(value, inner)]);
  }
  return object([...found].map(([name, values]) => [name, group ? tuple(values) : (values[0] ?? null)]));
}
