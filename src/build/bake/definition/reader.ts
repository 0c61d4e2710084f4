import { functionsOf, type Machine } from '../functions/library.ts';
import { evaluate } from '../hcl/evaluate.ts';
import { FunctionFailure } from '../hcl/limits.ts';
import { Budget, type Callable, type Scope, withLocals } from '../hcl/scope.ts';
import { errorAt, type Span } from '../hcl/source.ts';
import type { Body, Expression } from '../hcl/syntax.ts';
import { convert, describeType, type Type, TypeMismatch } from '../hcl/type.ts';
import { typeFrom } from '../hcl/type-expression.ts';
import { isMapping, isNumber, isSequence, toJsonText, tuple, type Value } from '../hcl/value.ts';
import { toText } from '../hcl/type.ts';
import { type Blocks, type FunctionBlock, sortBlocks, type VariableBlock } from './blocks.ts';
import { type BlockEvaluator, TargetBlocks } from './target-blocks.ts';
import type { Definition, VariableInfo } from './target.ts';
import { type Override, overridden } from './variables.ts';

export interface ReadInputs {
  readonly machine: Machine;
  /** What the environment, or `--var`, has for a name. */
  lookup(name: string): string | undefined;
  /** BAKE_CMD_CONTEXT and BAKE_LOCAL_PLATFORM. */
  readonly builtIn: Readonly<Record<string, string>>;
}

/**
 * What definitions in HCL and JSON say, with all expressions evaluated.
 * @param before what compose files said
 * @throws BuildError BAKE_INVALID
 */
export function readDefinition(bodies: readonly Body[], before: Definition, inputs: ReadInputs): Definition {
  return new Reader(sortBlocks(bodies), inputs).read(before);
}

class Reader implements BlockEvaluator {
  readonly #blocks: Blocks;
  readonly #inputs: ReadInputs;
  readonly #functions: ReadonlyMap<string, Callable>;
  readonly #values = new Map<string, Value>();
  readonly #types = new Map<string, Type>();
  /** Variables and functions whose worth is being found out. */
  readonly #open = new Set<string>();
  readonly #targets: TargetBlocks;
  readonly scope: Scope;

  constructor(blocks: Blocks, inputs: ReadInputs) {
    this.#blocks = blocks;
    this.#inputs = inputs;
    const own = [...blocks.functions.values()].map((each) => [each.name, this.#callable(each)] as const);
    // A function of the language cannot be redefined.
    this.#functions = new Map([...own, ...functionsOf(inputs.machine)]);
    this.scope = {
      variable: (name, span) => this.#variable(name, span),
      blockAttribute: (block, label, attribute, span) => this.#targets.reference(block, label, attribute, span),
      callable: (name) => this.#functions.get(name),
      budget: new Budget(),
    };
    this.#targets = new TargetBlocks(blocks, this);
  }

  read(before: Definition): Definition {
    const variables = [...this.#blocks.variables.values()].map((each) => this.#describe(each));
    for (const each of this.#blocks.variables.values()) this.#validate(each);
    const { groups, targets, warnings } = this.#targets.read(before);
    for (const [name, { expression }] of this.#blocks.attributes) this.#variable(name, expression.span);
    return { groups, targets, variables, warnings: [...before.warnings, ...this.#blocks.warnings, ...warnings] };
  }

  evaluate(expression: Expression, scope: Scope = this.scope): Value {
    return evaluate(expression, scope);
  }

  #variable(name: string, span: Span): Value | undefined {
    const known = this.#values.get(name);
    if (known !== undefined || this.#values.has(name)) return known;
    const builtIn = Object.hasOwn(this.#inputs.builtIn, name) ? this.#inputs.builtIn[name] : undefined;
    if (builtIn !== undefined) return builtIn;
    const variable = this.#blocks.variables.get(name);
    const attribute = this.#blocks.attributes.get(name);
    if (variable === undefined && attribute === undefined) return undefined;
    if (this.#open.has(name))
      throw errorAt(span, `variable ${JSON.stringify(name)} depends on itself: ${[...this.#open, name].join(' → ')}`);
    this.#open.add(name);
    try {
      const value = this.#resolve(name, variable, attribute?.expression);
      this.#values.set(name, value);
      return value;
    } finally {
      this.#open.delete(name);
    }
  }

  #resolve(name: string, variable: VariableBlock | undefined, attribute: Expression | undefined): Value {
    const type = attribute === undefined && variable?.type !== undefined ? typeFrom(variable.type) : undefined;
    if (type !== undefined) this.#types.set(name, type);
    const expression = attribute ?? variable?.fallback;
    const at = expression?.span ?? variable?.block.span;
    const override = variable === undefined ? undefined : this.#override(name, type !== undefined);
    try {
      const fallback = expression === undefined ? undefined : this.evaluate(expression);
      const typed = fallback === undefined ? undefined : convert(fallback, type ?? 'any');
      if (override !== undefined) return overridden({ name, type, fallback: typed }, override);
      return typed ?? (expression === undefined && type === undefined ? '' : null);
    } catch (error) {
      if (at === undefined || !(error instanceof TypeMismatch || error instanceof FunctionFailure)) throw error;
      throw errorAt(at, `variable ${JSON.stringify(name)}: ${error.message}`, { cause: error });
    }
  }

  /** `NAME`, or `NAME_JSON` unless that is a variable itself; a typed variable prefers the latter. */
  #override(name: string, isTyped: boolean): Override | undefined {
    const plain = this.#inputs.lookup(name);
    const jsonName = `${name}_JSON`;
    const isOther = this.#blocks.variables.has(jsonName) || this.#inputs.builtIn[jsonName] !== undefined;
    const json = (plain === undefined || isTyped) && isTyped && !isOther ? this.#inputs.lookup(jsonName) : undefined;
    if (json !== undefined) return { text: json, isJson: true };
    return plain === undefined ? undefined : { text: plain, isJson: false };
  }

  #describe({ name, description, block }: VariableBlock): VariableInfo {
    const value = this.#variable(name, block.span) ?? null;
    const type = this.#types.get(name);
    const said = description === undefined ? undefined : toText(this.evaluate(description));
    return {
      name,
      ...(said === undefined || said === '' ? {} : { description: said }),
      ...(type === undefined ? {} : { type: describeType(type) }),
      ...(value === null ? {} : { value: plainText(value) }),
    };
  }

  #validate({ name, validations }: VariableBlock): void {
    for (const { condition, message } of validations) {
      const holds = this.evaluate(condition);
      if (holds === null) throw errorAt(condition.span, 'the condition of a validation is true or false, not null');
      if (convert(holds, 'bool') === true) continue;
      const said = this.evaluate(message);
      throw errorAt(
        condition.span,
        `variable ${JSON.stringify(name)}: ${said === null ? 'it is not valid' : toText(said)}`,
      );
    }
  }

  #callable(definition: FunctionBlock): Callable {
    const { name, params, rest, result } = definition;
    return (args, span) => {
      if (args.length < params.length || (rest === undefined && args.length > params.length))
        throw new FunctionFailure(`takes ${params.length} arguments, but got ${args.length}`);
      const key = `${name}()`;
      if (this.#open.has(key)) throw errorAt(span, `function ${JSON.stringify(name)} calls itself`);
      this.#open.add(key);
      const given = new Map<string, Value>(params.map((param, index) => [param, args[index] ?? null]));
      if (rest !== undefined) given.set(rest, tuple(args.slice(params.length)));
      try {
        return this.evaluate(result, withLocals(this.scope, given));
      } finally {
        this.#open.delete(key);
      }
    };
  }
}

function plainText(value: Value): string {
  return isSequence(value) || isMapping(value)
    ? toJsonText(value)
    : isNumber(value) || value !== null
      ? toText(value)
      : '';
}
