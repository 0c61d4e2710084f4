import { UiError } from '../error.ts';
import type { Command, Operand, Pipe, TemplateNode } from './ast.ts';
import { functions } from './functions.ts';
import { parseTemplate } from './parser.ts';
import { isList, isRecord, isTrue, sortedEntries, toText, type Value } from './value.ts';

/** A parsed format, ready for any number of values. */
export interface Template {
  /** @throws UiError TEMPLATE_FAILED where the value has no such field, or a function cannot take what it was given */
  render(value: Value): string;
}

export interface TemplateOptions {
  /** What a field that is not there gives: an error that names those there are, or `<no value>`. */
  readonly missingFields?: 'error' | 'no-value' | undefined;
}

/**
 * Compiles a template in the part of Go's template language that docker's `--format` lives on: fields, pipes, `if`, `range`,
 * `with`, variables, and the functions in functions.ts.
 * @throws UiError TEMPLATE_INVALID
 */
export function compileTemplate(template: string, options: TemplateOptions = {}): Template {
  const nodes = parseTemplate(template);
  checkFunctions(nodes);
  return {
    render: (value) => new Renderer(value, options.missingFields ?? 'error').render(nodes),
  };
}

/** Where `{{break}}` and `{{continue}}` leave a body. */
type Leave = 'break' | 'continue' | undefined;

type Scope = ReadonlyMap<string, { value: Value }>;

class Renderer {
  readonly #root: Value;
  readonly #missing: 'error' | 'no-value';
  #output = '';

  constructor(root: Value, missing: 'error' | 'no-value') {
    this.#root = root;
    this.#missing = missing;
  }

  render(nodes: readonly TemplateNode[]): string {
    this.#body(nodes, this.#root, new Map([['$', { value: this.#root }]]));
    return this.#output;
  }

  #body(nodes: readonly TemplateNode[], dot: Value, outer: Scope): Leave {
    const scope = new Map(outer);
    for (const node of nodes) {
      const leave = this.#node(node, dot, scope);
      if (leave !== undefined) return leave;
    }
    return undefined;
  }

  #node(node: TemplateNode, dot: Value, scope: Map<string, { value: Value }>): Leave {
    switch (node.kind) {
      case 'text':
        this.#output += node.text;
        return undefined;
      case 'action': {
        const value = this.#pipe(node.pipe, dot, scope);
        if (node.pipe.variable === undefined) this.#output += toText(value);
        return undefined;
      }
      case 'if':
      case 'with': {
        const inner = new Map(scope);
        const value = this.#pipe(node.pipe, dot, inner);
        if (!isTrue(value)) return this.#body(node.otherwise, dot, inner);
        return this.#body(node.body, node.kind === 'with' ? value : dot, inner);
      }
      case 'range':
        return this.#range(node, dot, scope);
      case 'break':
      case 'continue':
        return node.kind;
    }
  }

  #range(node: TemplateNode & { kind: 'range' }, dot: Value, scope: Scope): Leave {
    const over = this.#pipe(node.pipe, dot, new Map(scope));
    const entries = rangeEntries(over);
    if (entries.length === 0) return this.#body(node.otherwise, dot, scope);
    for (const [key, value] of entries) {
      const inner = new Map(scope);
      if (node.key !== undefined) inner.set(node.key, { value: key });
      if (node.value !== undefined) inner.set(node.value, { value });
      if (this.#body(node.body, value, inner) === 'break') break;
    }
    return undefined;
  }

  #pipe(pipe: Pipe, dot: Value, scope: Map<string, { value: Value }>): Value {
    let value: Value;
    for (const [position, command] of pipe.commands.entries()) {
      value = this.#command(command, dot, scope, position === 0 ? [] : [value]);
    }
    if (pipe.variable !== undefined) assign(pipe.variable, value, scope);
    return value;
  }

  #command(command: Command, dot: Value, scope: Map<string, { value: Value }>, piped: readonly Value[]): Value {
    const [head, ...rest] = command.operands;
    if (head?.kind === 'function') return this.#call(head.name, rest, { dot, scope, piped });
    if (head === undefined || rest.length > 0 || piped.length > 0)
      throw failed(`can't give arguments to ${describe(head)}`);
    return this.#operand(head, dot, scope);
  }

  #call(
    name: string,
    operands: readonly Operand[],
    { dot, scope, piped }: { dot: Value; scope: Map<string, { value: Value }>; piped: readonly Value[] },
  ): Value {
    if (name === 'and' || name === 'or') {
      let value: Value;
      for (const operand of operands) {
        value = this.#operand(operand, dot, scope);
        if (isTrue(value) === (name === 'or')) return value;
      }
      return piped.length > 0 ? piped[0] : value;
    }
    const values = [...operands.map((operand) => this.#operand(operand, dot, scope)), ...piped];
    const definition = functions.get(name);
    if (definition === undefined) throw failed(`function "${name}" not defined`);
    if (values.length < definition.least || values.length > definition.most) {
      throw failed(`wrong number of args for ${name}: want ${definition.least} got ${values.length}`);
    }
    return definition.call(...values);
  }

  #operand(operand: Operand, dot: Value, scope: Map<string, { value: Value }>): Value {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'dot':
        return dot;
      case 'variable': {
        const variable = scope.get(operand.name);
        if (variable === undefined) throw failed(`undefined variable "${operand.name}"`);
        return variable.value;
      }
      case 'pipe':
        return this.#pipe(operand.pipe, dot, scope);
      case 'function':
        return this.#call(operand.name, [], { dot, scope, piped: [] });
      case 'field':
        return this.#field(this.#operand(operand.of, dot, scope), operand.name);
    }
  }

  #field(value: Value, name: string): Value {
    if (isRecord(value) && Object.hasOwn(value, name)) return value[name];
    if (this.#missing === 'no-value') return undefined;
    if (value === null || value === undefined) throw failed(`nil has no field .${name}`);
    if (!isRecord(value)) throw failed(`can't evaluate field ${name} in ${toText(value)}`);
    throw new UiError('TEMPLATE_FAILED', `template: no field .${name} here`, {
      hint: `Fields: ${Object.keys(value)
        .map((key) => `.${key}`)
        .join(', ')}`,
    });
  }
}

function rangeEntries(value: Value): (readonly [Value, Value])[] {
  if (value === null || value === undefined) return [];
  if (isList(value)) return value.map((item, position) => [position, item] as const);
  if (isRecord(value)) return sortedEntries(value);
  throw failed(`range can't iterate over ${toText(value)}`);
}

function assign(
  variable: { name: string; declares: boolean },
  value: Value,
  scope: Map<string, { value: Value }>,
): void {
  const known = scope.get(variable.name);
  if (variable.declares) scope.set(variable.name, { value });
  else if (known === undefined) throw failed(`undefined variable "${variable.name}"`);
  else known.value = value;
}

/** Unknown functions are found before any output, as Go does. */
function checkFunctions(nodes: readonly TemplateNode[]): void {
  const checkOperand = (operand: Operand): void => {
    if (operand.kind === 'pipe') checkPipe(operand.pipe);
    if (operand.kind === 'field') checkOperand(operand.of);
    if (operand.kind !== 'function' || functions.has(operand.name) || operand.name === 'and' || operand.name === 'or')
      return;
    throw new UiError('TEMPLATE_INVALID', `template parsing error: function "${operand.name}" not defined`, {
      exitCode: 64,
      hint: `Functions: ${[...functions.keys(), 'and', 'or'].join(', ')}`,
    });
  };
  const checkPipe = (pipe: Pipe): void => {
    for (const command of pipe.commands) command.operands.forEach(checkOperand);
  };
  for (const node of nodes) {
    if ('pipe' in node) checkPipe(node.pipe);
    if ('body' in node) {
      checkFunctions(node.body);
      checkFunctions(node.otherwise);
    }
  }
}

function describe(operand: Operand | undefined): string {
  return operand?.kind === 'field' ? `field .${operand.name}` : 'a value';
}

function failed(problem: string): UiError {
  return new UiError('TEMPLATE_FAILED', `template: ${problem}`);
}
