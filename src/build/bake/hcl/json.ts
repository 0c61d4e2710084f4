import { parseDecimal } from './decimal.ts';
import { parseTemplateText, parseWhole } from './expression-parser.ts';
import { errorAt, type Source, type Span } from './source.ts';
import type { AttributeNode, BlockNode, Body, Expression } from './syntax.ts';

/** A value of JSON, with its place. */
export type JsonNode = { readonly span: Span } & (
  | { readonly kind: 'plain'; readonly value: null | boolean }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'object'; readonly properties: readonly JsonProperty[] }
);

export interface JsonProperty {
  readonly name: string;
  readonly nameSpan: Span;
  readonly value: JsonNode;
}

const deepest = 200;
const blanks = /[ \t\r\n]*/y;
/** A line break within it is found by JSON.parse, like other control characters. */
const string = /"(?:[^"\\\n]|\\.)*"/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const word = /[a-z]+/y;

/** @throws BuildError BAKE_INVALID with the position */
export function parseJson(source: Source): JsonNode {
  const reader = new JsonReader(source);
  const node = reader.value(0);
  reader.end();
  return node;
}

class JsonReader {
  readonly #source: Source;
  #offset: number;

  constructor(source: Source) {
    this.#source = source;
    this.#offset = source.text.startsWith('\ufeff') ? 1 : 0;
  }

  value(depth: number): JsonNode {
    this.#match(blanks);
    const start = this.#offset;
    if (depth > deepest) this.#fail(`JSON is nested more than ${deepest} deep`);
    const text = this.#match(string);
    if (text !== undefined) return { kind: 'string', text: this.#unquote(text, start), span: this.#span(start) };
    const digits = this.#match(number);
    if (digits !== undefined) return { kind: 'number', text: digits, span: this.#span(start) };
    const name = this.#match(word);
    if (name === 'true' || name === 'false') return { kind: 'plain', value: name === 'true', span: this.#span(start) };
    if (name === 'null') return { kind: 'plain', value: null, span: this.#span(start) };
    this.#offset = start;
    if (this.#take('['))
      return { kind: 'array', items: this.#list(']', () => this.value(depth + 1)), span: this.#span(start) };
    if (this.#take('{'))
      return { kind: 'object', properties: this.#list('}', () => this.#property(depth)), span: this.#span(start) };
    return this.#fail('a JSON value is expected');
  }

  end(): void {
    this.#match(blanks);
    if (this.#offset < this.#source.text.length) this.#fail('unexpected text after the end of the JSON value');
  }

  #property(depth: number): JsonProperty {
    this.#match(blanks);
    const start = this.#offset;
    const text = this.#match(string) ?? this.#fail('the name of a property is expected, in quotes');
    const nameSpan = this.#span(start);
    const name = this.#unquote(text, start);
    this.#match(blanks);
    if (!this.#take(':')) this.#fail('":" is expected after the name of a property');
    return { name, nameSpan, value: this.value(depth + 1) };
  }

  #list<T>(close: string, read: () => T): T[] {
    const items: T[] = [];
    this.#match(blanks);
    if (this.#take(close)) return items;
    for (;;) {
      items.push(read());
      this.#match(blanks);
      if (this.#take(close)) return items;
      if (!this.#take(',')) this.#fail(`"," or "${close}" is expected`);
    }
  }

  #unquote(text: string, start: number): string {
    try {
      return JSON.parse(text) as string;
    } catch {
      throw errorAt(this.#span(start), 'the string has an escape that JSON does not know');
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.#source.text)?.[0];
    if (found !== undefined) this.#offset += found.length;
    return found;
  }

  #take(character: string): boolean {
    if (this.#source.text[this.#offset] !== character) return false;
    this.#offset += 1;
    return true;
  }

  #span(start: number): Span {
    return { source: this.#source, start, end: this.#offset };
  }

  #fail(why: string): never {
    throw errorAt({ source: this.#source, start: this.#offset, end: this.#offset + 1 }, why);
  }
}

/** How many labels a block has whose properties are read as blocks. */
const labelled: Readonly<Record<string, number>> = { group: 1, target: 1, variable: 1, function: 1 };

/** A definition in JSON, in the form of one in HCL. @throws BuildError BAKE_INVALID */
export function parseJsonDefinition(source: Source): Body {
  const root = parseJson(source);
  if (root.kind !== 'object') throw errorAt(root.span, 'a definition is a JSON object');
  return bodyOf(root, labelled);
}

function bodyOf(node: JsonNode & { kind: 'object' }, blockTypes: Readonly<Record<string, number>>): Body {
  const attributes: AttributeNode[] = [];
  const blocks: BlockNode[] = [];
  for (const property of node.properties) {
    const { name, nameSpan, value } = property;
    if (name === '//') continue; // a comment, by HCL's custom
    const labels = Object.hasOwn(blockTypes, name) ? blockTypes[name] : undefined;
    if (labels !== undefined) blocks.push(...blocksOf(property, labels, []));
    else attributes.push({ name, expression: expressionOf(value), span: nameSpan });
  }
  return { attributes, blocks, span: node.span };
}

function blocksOf({ name, nameSpan, value }: JsonProperty, labels: number, found: BlockNode['labels']): BlockNode[] {
  if (value.kind === 'plain' && value.value === null) return [];
  const nodes = value.kind === 'array' ? value.items : [value];
  return nodes.flatMap((node) => {
    if (node.kind !== 'object') throw errorAt(node.span, `${name} must be a JSON object`);
    if (labels === 0) {
      const inner: Record<string, number> = name === 'variable' ? { validation: 0 } : {};
      return [{ type: name, labels: found, body: bodyOf(node, inner), span: found.at(-1)?.span ?? nameSpan }];
    }
    return node.properties.flatMap((property) =>
      blocksOf({ ...property, name }, labels - 1, [...found, { text: property.name, span: property.nameSpan }]),
    );
  });
}

/** Strings are templates; names of properties too. */
function expressionOf(node: JsonNode): Expression {
  const { span } = node;
  switch (node.kind) {
    case 'plain':
      return { kind: 'literal', value: node.value, span };
    case 'number':
      return { kind: 'literal', value: numberOf(node.text, span), span };
    case 'string':
      return templateOf(node.text, span);
    case 'array':
      return { kind: 'tuple', items: node.items.map(expressionOf), span };
    case 'object':
      return {
        kind: 'object',
        items: node.properties.map(({ name, nameSpan, value }) => ({
          key: templateOf(name, nameSpan),
          value: expressionOf(value),
        })),
        span,
      };
  }
}

function numberOf(text: string, span: Span) {
  try {
    return parseDecimal(text) ?? null;
  } catch {
    throw errorAt(span, `${text.slice(0, 40)} is too large a number`);
  }
}

function templateOf(text: string, span: Span): Expression {
  if (!text.includes('${') && !text.includes('%{')) return { kind: 'literal', value: text, span };
  return parseTemplateText({ name: span.source.name, text, within: span });
}

/** The expression that a plain string of JSON spells: types and the names of parameters are written so. */
export function spelled(expression: Expression): Expression {
  if (expression.kind !== 'literal' || typeof expression.value !== 'string') return expression;
  const { span } = expression;
  return parseWhole({ name: span.source.name, text: expression.value, within: span });
}
