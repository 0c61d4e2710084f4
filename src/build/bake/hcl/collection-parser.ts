import { describe, type Scanner, type Token } from './scanner.ts';
import { join } from './source.ts';
import type { Expression, ForExpression, ObjectItem } from './syntax.ts';

/** What brackets and braces hold: a tuple, an object, or a `for`. */
export function parseCollection(scanner: Scanner): Expression {
  const open = scanner.next();
  const isObject = open.text === '{';
  if (!isObject)
    return scanner.lines('ignored', () =>
      scanner.isName('for') ? parseFor(scanner, open) : parseTuple(scanner, open),
    );
  return scanner.lines('kept', () => {
    const isFor = scanner.lines('ignored', () => scanner.isName('for') && looksLikeFor(scanner));
    return isFor ? scanner.lines('ignored', () => parseFor(scanner, open)) : parseObject(scanner, open);
  });
}

/** `for` may also be a key. */
function looksLikeFor(scanner: Scanner): boolean {
  return /^for\s+[^\s=:]/.test(scanner.source.text.slice(scanner.peek().span.start));
}

function parseTuple(scanner: Scanner, open: Token): Expression {
  const items: Expression[] = [];
  while (!scanner.is(']')) {
    items.push(scanner.expression());
    if (scanner.take(',') === undefined) break;
  }
  const end = scanner.take(']') ?? scanner.fail(`expected "," or "]" in the list, found ${describe(scanner.peek())}`);
  return { kind: 'tuple', items, span: join(open.span, end.span) };
}

function parseObject(scanner: Scanner, open: Token): Expression {
  const items: ObjectItem[] = [];
  for (;;) {
    scanner.skipNewlines();
    const end = scanner.take('}');
    if (end !== undefined) return { kind: 'object', items, span: join(open.span, end.span) };
    const key = parseKey(scanner);
    if (scanner.take('=') === undefined && scanner.take(':') === undefined)
      scanner.fail(`expected "=" after the key, found ${describe(scanner.peek())}`);
    items.push({ key, value: scanner.expression() });
    const token = scanner.peek();
    if (token.kind === 'newline' || scanner.is('}')) continue;
    if (scanner.take(',') === undefined)
      scanner.fail(`expected "," or a new line after the value, found ${describe(token)}`);
  }
}

/** A name alone is itself; in parentheses it would be a variable. */
function parseKey(scanner: Scanner): Expression {
  const inParentheses = scanner.is('(');
  const key = scanner.expression();
  return key.kind === 'variable' && !inParentheses ? { kind: 'literal', value: key.name, span: key.span } : key;
}

function parseFor(scanner: Scanner, open: Token): Expression {
  const isObject = open.text === '{';
  const head = parseForHead(scanner);
  scanner.expect(':', 'after what "for" goes through');
  const first = scanner.expression();
  const key = isObject ? first : undefined;
  if (isObject) scanner.expect('=>', 'after the key of "for"');
  const value = isObject ? scanner.expression() : first;
  const group = isObject && scanner.take('...') !== undefined;
  const condition = scanner.isName('if') ? (scanner.next(), scanner.expression()) : undefined;
  const end = scanner.expect(isObject ? '}' : ']', 'at the end of "for"');
  return { kind: 'for', ...head, key, value, condition, group, joined: false, span: join(open.span, end.span) };
}

/** `for key, value in collection` */
export function parseForHead(scanner: Scanner): Pick<ForExpression, 'keyName' | 'valueName' | 'collection'> {
  scanner.next();
  const first = nameIn(scanner);
  const second = scanner.take(',') === undefined ? undefined : nameIn(scanner);
  if (!scanner.isName('in')) scanner.fail(`expected "in" after the name in "for", found ${describe(scanner.peek())}`);
  scanner.next();
  const collection = scanner.expression();
  return { keyName: second === undefined ? undefined : first, valueName: second ?? first, collection };
}

function nameIn(scanner: Scanner): string {
  const token = scanner.next();
  return token.kind === 'name'
    ? token.text
    : scanner.fail(`expected a name after "for", found ${describe(token)}`, token.span);
}
