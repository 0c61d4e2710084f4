import { errorAt, type Source, type Span } from './source.ts';
import type { Expression } from './syntax.ts';

export interface Token {
  readonly kind: 'name' | 'number' | 'symbol' | 'newline' | 'quote' | 'heredoc' | 'end';
  readonly text: string;
  readonly span: Span;
}

/** Longest first. */
const symbols = [
  '...', '||', '&&', '==', '!=', '<=', '>=', '=>', '~}', '::',
  '{', '}', '[', ']', '(', ')', '=', '<', '>', '+', '-', '*', '/', '%', '!', '?', ':', ',', '.',
]; // biome-ignore format: a table

const name = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;
const number = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const blanks = /(?:[ \t\r]|(?:#|\/\/)[^\n]*|\/\*[^]*?\*\/)+/y;
const heredoc = /<<(-?)([\p{ID_Start}_][\p{ID_Continue}-]*)\r?\n/uy;

/** Reads one expression; given to the scanner, because expressions, collections and templates hold each other. */
export type ParseExpression = (scanner: Scanner) => Expression;

/** Reads tokens one by one, so that the parser can read templates itself in between. */
export class Scanner {
  readonly source: Source;
  /** Where the next token is looked for. */
  offset: number;
  /** The innermost bracket says whether line breaks mean anything. */
  readonly #ignoring: boolean[] = [];
  #peeked: Token | undefined;

  readonly #parse: ParseExpression;

  constructor(source: Source, parse: ParseExpression) {
    this.source = source;
    this.offset = source.text.startsWith('\ufeff') ? 1 : 0;
    this.#parse = parse;
  }

  /** Reads one expression. @throws BuildError BAKE_INVALID */
  expression(): Expression {
    return this.#parse(this);
  }

  span(start: number, end: number = this.offset): Span {
    return { source: this.source, start, end };
  }

  /** Does `work` with line breaks ignored or not. */
  lines<T>(ignored: 'ignored' | 'kept', work: () => T): T {
    this.#ignoring.push(ignored === 'ignored');
    try {
      return work();
    } finally {
      this.#ignoring.pop();
    }
  }

  peek(): Token {
    for (;;) {
      this.#peeked ??= this.#scan();
      if (this.#peeked.kind !== 'newline' || this.#ignoring.at(-1) !== true) return this.#peeked;
      this.#peeked = undefined;
    }
  }

  next(): Token {
    const token = this.peek();
    this.#peeked = undefined;
    return token;
  }

  /** Takes the next token if it is this symbol. */
  take(symbol: string): Token | undefined {
    return this.is(symbol) ? this.next() : undefined;
  }

  is(symbol: string): boolean {
    const token = this.peek();
    return token.kind === 'symbol' && token.text === symbol;
  }

  isName(word: string): boolean {
    const token = this.peek();
    return token.kind === 'name' && token.text === word;
  }

  expect(symbol: string, why: string): Token {
    return this.take(symbol) ?? this.fail(`expected "${symbol}" ${why}, found ${describe(this.peek())}`);
  }

  skipNewlines(): void {
    while (this.peek().kind === 'newline') this.next();
  }

  fail(why: string, span: Span = this.peek().span): never {
    throw errorAt(span, why);
  }

  #scan(): Token {
    const { text } = this.source;
    this.#match(blanks);
    const start = this.offset;
    if (start >= text.length) return this.#token('end', start, start);
    if (text[start] === '\n') return this.#token('newline', start, start + 1);
    if (text[start] === '"') return this.#token('quote', start, start + 1);
    if (this.#match(name) !== undefined) return this.#token('name', start, this.offset);
    if (this.#match(number) !== undefined) return this.#token('number', start, this.offset);
    if (this.#match(heredoc) !== undefined) return this.#token('heredoc', start, this.offset);
    if (text.startsWith('/*', start)) throw errorAt(this.span(start, start + 2), 'the comment does not end');
    const symbol = symbols.find((each) => text.startsWith(each, start));
    if (symbol !== undefined) return this.#token('symbol', start, start + symbol.length);
    const character = String.fromCodePoint(text.codePointAt(start) ?? 0);
    throw errorAt(this.span(start, start + character.length), `unexpected character ${JSON.stringify(character)}`);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.offset;
    const found = pattern.exec(this.source.text)?.[0];
    if (found !== undefined) this.offset += found.length;
    return found;
  }

  #token(kind: Token['kind'], start: number, end: number): Token {
    this.offset = end;
    return { kind, text: this.source.text.slice(start, end), span: this.span(start, end) };
  }
}

/** A token as an error names it. */
export function describe(token: Token): string {
  if (token.kind === 'end') return 'the end of the file';
  if (token.kind === 'newline') return 'the end of the line';
  return token.kind === 'quote' ? 'a text' : JSON.stringify(token.text.trim());
}
