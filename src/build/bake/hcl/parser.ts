import { parseExpression } from './expression-parser.ts';
import { describe, Scanner } from './scanner.ts';
import { join, type Source } from './source.ts';
import type { AttributeNode, BlockNode, Body } from './syntax.ts';

/** Blocks and brackets within each other. */
export const deepest = 200;

/**
 * Reads a definition in the language of HashiCorp's configuration files (HCL).
 * @throws BuildError BAKE_INVALID with position and excerpt
 */
export function parseHcl(source: Source): Body {
  return parseBody(new Scanner(source, parseExpression), 0);
}

/** Up to the brace that closes it, or to the end of the file. */
function parseBody(scanner: Scanner, depth: number): Body {
  if (depth > deepest) scanner.fail(`blocks are nested more than ${deepest} deep`);
  const attributes: AttributeNode[] = [];
  const blocks: BlockNode[] = [];
  const start = scanner.peek().span;
  if (depth > 0 && scanner.peek().kind !== 'newline') return parseOneLine(scanner);
  for (;;) {
    scanner.skipNewlines();
    const token = scanner.peek();
    if (depth > 0 && scanner.is('}')) break;
    if (token.kind === 'end') {
      if (depth > 0) scanner.fail('the block does not end: a closing brace "}" is missing');
      break;
    }
    if (token.kind !== 'name')
      scanner.fail(`an attribute or a block must begin with its name, found ${describe(token)}`);
    const item = parseItem(scanner, depth);
    if ('body' in item) blocks.push(item);
    else if (attributes.some(({ name }) => name === item.name))
      scanner.fail(`attribute ${JSON.stringify(item.name)} is set twice`, item.span);
    else attributes.push(item);
  }
  return { attributes, blocks, span: join(start, scanner.peek().span) };
}

/** `{ name = value }` */
function parseOneLine(scanner: Scanner): Body {
  const start = scanner.peek().span;
  if (scanner.is('}')) return { attributes: [], blocks: [], span: start };
  if (scanner.peek().kind === 'end') scanner.fail('the block does not end: a closing brace "}" is missing');
  const name = scanner.next();
  if (name.kind !== 'name' || scanner.take('=') === undefined)
    scanner.fail('a block in one line holds one attribute; blocks in it begin on a line of their own', name.span);
  const expression = scanner.expression();
  if (!scanner.is('}')) scanner.fail('a block in one line holds one attribute, and its closing brace "}" follows it');
  return {
    attributes: [{ name: name.text, expression, span: name.span }],
    blocks: [],
    span: join(start, scanner.peek().span),
  };
}

function parseItem(scanner: Scanner, depth: number): AttributeNode | BlockNode {
  const name = scanner.next();
  if (scanner.take('=') !== undefined) {
    const expression = parseExpression(scanner);
    endLine(scanner, `after attribute ${JSON.stringify(name.text)}`);
    return { name: name.text, expression, span: name.span };
  }
  const labels = parseLabels(scanner);
  const last = labels.at(-1)?.span ?? name.span;
  if (!scanner.is('{'))
    scanner.fail(
      `after ${JSON.stringify(name.text)} comes "=" and a value, or a block "{ … }", not ${describe(scanner.peek())}`,
    );
  scanner.next();
  const body = parseBody(scanner, depth + 1);
  scanner.expect('}', 'at the end of the block');
  endLine(scanner, 'after a block');
  return { type: name.text, labels, body, span: join(name.span, last) };
}

function parseLabels(scanner: Scanner): BlockNode['labels'] {
  const labels: { text: string; span: BlockNode['span'] }[] = [];
  for (;;) {
    const token = scanner.peek();
    if (token.kind === 'name') labels.push({ text: scanner.next().text, span: token.span });
    else if (token.kind === 'quote') {
      const label = parseExpression(scanner);
      if (label.kind !== 'literal' || typeof label.value !== 'string')
        scanner.fail('a label is plain text', label.span);
      labels.push({ text: label.value, span: label.span });
    } else return labels;
  }
}

/** One item a line. */
function endLine(scanner: Scanner, where: string): void {
  const token = scanner.peek();
  if (token.kind === 'newline') scanner.next();
  else if (token.kind !== 'end') scanner.fail(`a new line is expected ${where}, found ${describe(token)}`);
}
