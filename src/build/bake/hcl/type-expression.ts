import { errorAt } from './source.ts';
import type { Expression } from './syntax.ts';
import type { Attribute, Type } from './type.ts';

/**
 * The type that an expression spells: `string`, `list(string)`, `object({ name = string, size = optional(number) })`.
 * @throws BuildError BAKE_INVALID
 */
export function typeFrom(expression: Expression): Type {
  if (expression.kind === 'variable') {
    const { name } = expression;
    if (name === 'string' || name === 'number' || name === 'bool' || name === 'any') return name;
    if (name === 'list' || name === 'set' || name === 'map')
      throw errorAt(expression.span, `${name} needs the type of its elements: ${name}(string)`);
    if (name === 'object' || name === 'tuple')
      throw errorAt(expression.span, `${name} needs the types of its parts in parentheses`);
    throw errorAt(expression.span, `there is no type ${JSON.stringify(name)}`, {
      hint: 'types are string, number, bool, any, list(…), set(…), map(…), tuple([…]) and object({…})',
    });
  }
  if (expression.kind !== 'call' || expression.expand) throw errorAt(expression.span, 'this is not a type');
  const [argument] = expression.args;
  if (argument === undefined || expression.args.length !== 1)
    throw errorAt(expression.span, `${expression.name} takes one argument`);
  switch (expression.name) {
    case 'list':
      return { list: typeFrom(argument) };
    case 'set':
      return { set: typeFrom(argument) };
    case 'map':
      return { map: typeFrom(argument) };
    case 'tuple':
      if (argument.kind !== 'tuple') throw errorAt(argument.span, 'tuple takes a list of types');
      return { tuple: argument.items.map(typeFrom) };
    case 'object':
      if (argument.kind !== 'object')
        throw errorAt(argument.span, 'object takes the types of its attributes: { name = string }');
      return {
        object: Object.fromEntries(argument.items.map(({ key, value }) => [attributeName(key), attributeFrom(value)])),
      };
    default:
      throw errorAt(expression.span, `there is no type ${JSON.stringify(expression.name)}`);
  }
}

function attributeName(key: Expression): string {
  if (key.kind === 'literal' && typeof key.value === 'string') return key.value;
  throw errorAt(key.span, 'the name of an attribute is plain text');
}

function attributeFrom(expression: Expression): Attribute {
  if (expression.kind !== 'call' || expression.name !== 'optional')
    return { type: typeFrom(expression), optional: false };
  const [type, fallback] = expression.args;
  if (type === undefined || fallback !== undefined) throw errorAt(expression.span, 'optional takes one type');
  return { type: typeFrom(type), optional: true };
}
