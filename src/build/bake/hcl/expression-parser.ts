import { parseDecimal } from './decimal.ts';
import { parseCollection } from './collection-parser.ts';
import { describe, Scanner, type Token } from './scanner.ts';
import { join, type Source, type Span } from './source.ts';
import type { BinaryOperator, Expression } from './syntax.ts';
import { parseHeredoc, parseQuoted, parseTemplate } from './template.ts';

/** Expressions within each other. */
const deepest = 200;

/** Weakest first; operators of one line bind alike. */
const levels: readonly (readonly BinaryOperator[])[] = [
  ['||'],
  ['&&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['+', '-'],
  ['*', '/', '%'],
];

const depths = new WeakMap<Scanner, number>();

/** Reads one expression. @throws BuildError BAKE_INVALID */
export function parseExpression(scanner: Scanner): Expression {
  const depth = (depths.get(scanner) ?? 0) + 1;
  if (depth > deepest) scanner.fail(`expressions are nested more than ${deepest} deep`);
  depths.set(scanner, depth);
  try {
    return parseConditional(scanner);
  } finally {
    depths.set(scanner, depth - 1);
  }
}

/** A text that is one expression, as JSON has it for types and parameters. */
export function parseWhole(source: Source): Expression {
  const scanner = new Scanner(source, parseExpression);
  return scanner.lines('ignored', () => {
    const expression = parseExpression(scanner);
    if (scanner.peek().kind !== 'end') scanner.fail(`unexpected ${describe(scanner.peek())} after the expression`);
    return expression;
  });
}

/** A text that is a template as a whole, as JSON has it everywhere. */
export function parseTemplateText(source: Source): Expression {
  return parseTemplate(new Scanner(source, parseExpression));
}

function parseConditional(scanner: Scanner): Expression {
  const condition = parseBinary(scanner, 0);
  if (scanner.take('?') === undefined) return condition;
  const whenTrue = parseExpression(scanner);
  scanner.expect(':', 'and what holds otherwise');
  const whenFalse = parseExpression(scanner);
  return { kind: 'conditional', condition, whenTrue, whenFalse, span: join(condition.span, whenFalse.span) };
}

function parseBinary(scanner: Scanner, level: number): Expression {
  const operators = levels[level];
  if (operators === undefined) return parseUnary(scanner, 0);
  let left = parseBinary(scanner, level + 1);
  for (let count = 0; ; count++) {
    const operator = operators.find((each) => scanner.is(each));
    if (operator === undefined) return left;
    if (count > 1000) scanner.fail('the expression is too long');
    scanner.next();
    const right = parseBinary(scanner, level + 1);
    left = { kind: 'binary', operator, left, right, span: join(left.span, right.span) };
  }
}

function parseUnary(scanner: Scanner, depth: number): Expression {
  const token = scanner.take('-') ?? scanner.take('!');
  if (token === undefined) return parsePostfix(scanner, parsePrimary(scanner));
  if (depth > deepest) scanner.fail('too many operators');
  const operand = parseUnary(scanner, depth + 1);
  return { kind: 'unary', operator: token.text === '-' ? '-' : '!', operand, span: join(token.span, operand.span) };
}

function parsePrimary(scanner: Scanner): Expression {
  const token = scanner.peek();
  switch (token.kind) {
    case 'number':
      return { kind: 'literal', value: numberOf(scanner, scanner.next()), span: token.span };
    case 'quote':
      scanner.next();
      return parseQuoted(scanner, token.span);
    case 'heredoc':
      scanner.next();
      return parseHeredoc(scanner, token);
    case 'name':
      return parseName(scanner, scanner.next());
    case 'symbol':
    case 'newline':
    case 'end':
      break;
  }
  if (scanner.is('(')) {
    scanner.next();
    const inner = scanner.lines('ignored', () => {
      const expression = parseExpression(scanner);
      scanner.expect(')', 'to close the parenthesis');
      return expression;
    });
    return { ...inner, span: { ...inner.span, start: token.span.start } };
  }
  if (scanner.is('[') || scanner.is('{')) return parseCollection(scanner);
  return scanner.fail(`expected a value, found ${describe(token)}`);
}

function numberOf(scanner: Scanner, token: Token) {
  try {
    const value = parseDecimal(token.text);
    if (value !== undefined) return value;
  } catch {
    // Said below.
  }
  return scanner.fail(`${token.text.slice(0, 40)} is too large a number`, token.span);
}

function parseName(scanner: Scanner, token: Token): Expression {
  if (scanner.is('(')) return parseCall(scanner, token);
  if (token.text === 'true' || token.text === 'false')
    return { kind: 'literal', value: token.text === 'true', span: token.span };
  if (token.text === 'null') return { kind: 'literal', value: null, span: token.span };
  return { kind: 'variable', name: token.text, span: token.span };
}

function parseCall(scanner: Scanner, name: Token): Expression {
  scanner.next();
  const args: Expression[] = [];
  let expand = false;
  const end = scanner.lines('ignored', () => {
    while (!scanner.is(')') && !expand) {
      args.push(parseExpression(scanner));
      expand = scanner.take('...') !== undefined;
      if (scanner.take(',') === undefined) break;
    }
    return scanner.expect(')', `to end the arguments of ${name.text}`);
  });
  return { kind: 'call', name: name.text, args, expand, span: join(name.span, end.span) };
}

function parsePostfix(scanner: Scanner, first: Expression): Expression {
  let object = first;
  for (let count = 0; ; count++) {
    if (count > 1000) scanner.fail('the expression is too long');
    if (scanner.is('.')) object = parseDot(scanner, object);
    else if (scanner.is('[')) object = parseBracket(scanner, object);
    else return object;
  }
}

function parseDot(scanner: Scanner, object: Expression): Expression {
  scanner.next();
  const token = scanner.next();
  if (token.kind === 'name')
    return { kind: 'attribute', object, name: token.text, span: join(object.span, token.span) };
  if (token.kind === 'number') return indices(scanner, object, token);
  if (token.kind === 'symbol' && token.text === '*') return splat(scanner, object, token.span, 'attributes');
  return scanner.fail(`after "." comes a name, found ${describe(token)}`, token.span);
}

/** `list.0`, and `list.0.1`, which looks like a fraction. */
function indices(scanner: Scanner, object: Expression, token: Token): Expression {
  let result = object;
  for (const part of token.text.split('.')) {
    const value = /^\d+$/.test(part) ? parseDecimal(part) : undefined;
    if (value === undefined) scanner.fail(`after "." comes a name or an index`, token.span);
    const key: Expression = { kind: 'literal', value: value ?? null, span: token.span };
    result = { kind: 'index', object: result, key, span: join(object.span, token.span) };
  }
  return result;
}

function parseBracket(scanner: Scanner, object: Expression): Expression {
  scanner.next();
  return scanner.lines('ignored', () => {
    const star = scanner.take('*');
    if (star !== undefined) {
      const end = scanner.expect(']', 'after "[*"');
      return splat(scanner, object, join(star.span, end.span), 'everything');
    }
    const key = parseExpression(scanner);
    const end = scanner.expect(']', 'after the index');
    return { kind: 'index', object, key, span: join(object.span, end.span) };
  });
}

/** What follows `[*]` belongs to each element; after `.*` only attributes do. */
function splat(scanner: Scanner, object: Expression, mark: Span, reach: 'attributes' | 'everything'): Expression {
  let each: Expression = { kind: 'element', span: mark };
  for (let count = 0; count < 1000; count++) {
    if (scanner.is('.')) each = parseDot(scanner, each);
    else if (reach === 'everything' && scanner.is('[')) each = parseBracket(scanner, each);
    else break;
  }
  return { kind: 'splat', object, each, span: join(object.span, each.span) };
}
