import { UiError } from '../error.ts';
import type { Command, Operand, Pipe, TemplateNode } from './ast.ts';
import { type Token, tokenize } from './lexer.ts';

/**
 * Parses a format template.
 * @throws UiError TEMPLATE_INVALID with what was found and what was expected
 */
export function parseTemplate(template: string): readonly TemplateNode[] {
  const parser = new Parser(tokenize(template));
  const { nodes, end } = parser.block();
  if (end !== undefined) throw invalid(`unexpected {{${end}}}`);
  return nodes;
}

type BlockEnd = 'end' | 'else' | undefined;

const notSupported = new Set(['template', 'define', 'block']);

class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;
  #loops = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** Nodes up to `{{end}}`, `{{else` (whose rest is still to be read) or the end of the text. */
  block(): { nodes: TemplateNode[]; end: BlockEnd } {
    const nodes: TemplateNode[] = [];
    for (let token = this.#next(); token !== undefined; token = this.#next()) {
      if (token.kind === 'text') {
        nodes.push(token);
        continue;
      }
      const word = this.#peekWord();
      if (word === 'end' || word === 'else') {
        this.#next();
        if (word === 'end') this.#expectClose();
        return { nodes, end: word };
      }
      nodes.push(this.#action(word));
    }
    return { nodes, end: undefined };
  }

  #action(word: string | undefined): TemplateNode {
    if (word === 'if' || word === 'with') {
      this.#next();
      return this.#condition(word);
    }
    if (word === 'range') {
      this.#next();
      return this.#range();
    }
    if (word === 'break' || word === 'continue') {
      if (this.#loops === 0) throw invalid(`{{${word}}} outside {{range}}`);
      this.#next();
      this.#expectClose();
      return { kind: word };
    }
    if (word !== undefined && notSupported.has(word)) throw invalid(`{{${word}}} is not supported in formats`);
    const pipe = this.#pipe();
    this.#expectClose();
    return { kind: 'action', pipe };
  }

  #condition(kind: 'if' | 'with'): TemplateNode {
    const pipe = this.#pipe();
    this.#expectClose();
    const { nodes, end } = this.block();
    return { kind, pipe, body: nodes, otherwise: this.#otherwise(kind, end) };
  }

  #otherwise(kind: 'if' | 'with' | 'range', end: BlockEnd): readonly TemplateNode[] {
    if (end === undefined) throw invalid(`{{${kind}}} without {{end}}`);
    if (end === 'end') return [];
    const word = this.#peekWord();
    if ((word === 'if' || word === 'with') && word === kind) {
      this.#next();
      return [this.#condition(word)];
    }
    this.#expectClose();
    const rest = this.block();
    if (rest.end !== 'end')
      throw invalid(rest.end === 'else' ? 'expected end; found {{else}}' : `{{${kind}}} without {{end}}`);
    return rest.nodes;
  }

  #range(): TemplateNode {
    const names = this.#rangeVariables();
    const pipe = this.#pipe();
    this.#expectClose();
    this.#loops += 1;
    const { nodes, end } = this.block();
    this.#loops -= 1;
    return { kind: 'range', pipe, ...names, body: nodes, otherwise: this.#otherwise('range', end) };
  }

  /** `$value :=` or `$key, $value :=` after `range`. */
  #rangeVariables(): { key: string | undefined; value: string | undefined } {
    const [first, second, third, fourth] = this.#tokens.slice(this.#position, this.#position + 4);
    if (first?.kind !== 'variable') return { key: undefined, value: undefined };
    if (isSymbol(second, ':=')) {
      this.#position += 2;
      return { key: undefined, value: first.name };
    }
    if (isSymbol(second, ',') && third?.kind === 'variable' && isSymbol(fourth, ':=')) {
      this.#position += 4;
      return { key: first.name, value: third.name };
    }
    return { key: undefined, value: undefined };
  }

  #pipe(): Pipe {
    const variable = this.#assignment();
    const commands = [this.#command()];
    while (isSymbol(this.#peek(), '|')) {
      this.#next();
      const command = this.#command();
      const [head] = command.operands;
      if (head?.kind === 'literal') throw invalid('non executable command in pipeline');
      commands.push(command);
    }
    return { variable, commands };
  }

  #assignment(): Pipe['variable'] {
    const [first, second] = this.#tokens.slice(this.#position, this.#position + 2);
    if (first?.kind !== 'variable' || !(isSymbol(second, ':=') || isSymbol(second, '='))) return undefined;
    this.#position += 2;
    return { name: first.name, declares: isSymbol(second, ':=') };
  }

  #command(): Command {
    const operands: Operand[] = [];
    for (let operand = this.#operand(); operand !== undefined; operand = this.#operand()) operands.push(operand);
    if (operands.length === 0) throw invalid('missing value for command');
    return { operands };
  }

  #operand(): Operand | undefined {
    let operand = this.#term();
    if (operand === undefined) return undefined;
    for (let token = this.#peek(); token?.kind === 'field' && !token.spaced; token = this.#peek()) {
      this.#next();
      operand = { kind: 'field', of: operand, name: token.name };
    }
    return operand;
  }

  #term(): Operand | undefined {
    const token = this.#peek();
    switch (token?.kind) {
      case 'string':
      case 'number':
        this.#next();
        return { kind: 'literal', value: token.value };
      case 'field':
        this.#next();
        return { kind: 'field', of: { kind: 'dot' }, name: token.name };
      case 'variable':
        this.#next();
        return { kind: 'variable', name: token.name };
      case 'word':
        this.#next();
        return word(token.name);
      case 'symbol':
        return this.#symbolTerm(token.symbol);
      case 'text':
      case 'open':
      case 'close':
      case undefined:
        return undefined;
    }
  }

  #symbolTerm(symbol: string): Operand | undefined {
    if (symbol === '.') {
      this.#next();
      return { kind: 'dot' };
    }
    if (symbol !== '(') return undefined;
    this.#next();
    const pipe = this.#pipe();
    if (!isSymbol(this.#next(), ')')) throw invalid('unclosed left paren');
    return { kind: 'pipe', pipe };
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#position];
  }

  #next(): Token | undefined {
    const token = this.#tokens[this.#position];
    this.#position += 1;
    return token;
  }

  #peekWord(): string | undefined {
    const token = this.#peek();
    return token?.kind === 'word' ? token.name : undefined;
  }

  #expectClose(): void {
    const token = this.#next();
    if (token?.kind !== 'close')
      throw invalid(`unexpected ${token === undefined ? 'end of template' : describe(token)} in action`);
  }
}

function word(name: string): Operand {
  if (name === 'true' || name === 'false') return { kind: 'literal', value: name === 'true' };
  if (name === 'nil') return { kind: 'literal', value: null };
  return { kind: 'function', name };
}

function isSymbol(token: Token | undefined, symbol: string): boolean {
  return token?.kind === 'symbol' && token.symbol === symbol;
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'symbol':
      return JSON.stringify(token.symbol);
    case 'field':
      return `.${token.name}`;
    case 'word':
    case 'variable':
      return token.name;
    case 'string':
    case 'number':
      return JSON.stringify(token.value);
    case 'text':
    case 'open':
    case 'close':
      return token.kind;
  }
}

function invalid(problem: string): UiError {
  return new UiError('TEMPLATE_INVALID', `template parsing error: ${problem}`, { exitCode: 64 });
}
