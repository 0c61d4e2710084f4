import { errorAt } from '../hcl/source.ts';
import { spelled } from '../hcl/json.ts';
import type { AttributeNode, BlockNode, Body, Expression } from '../hcl/syntax.ts';
import { positionOf } from '../hcl/source.ts';

/** A `variable` block, not evaluated. */
export interface VariableBlock {
  readonly name: string;
  readonly type: Expression | undefined;
  readonly fallback: Expression | undefined;
  readonly description: Expression | undefined;
  readonly validations: readonly { readonly condition: Expression; readonly message: Expression }[];
  readonly block: BlockNode;
}

/** A `function` block. */
export interface FunctionBlock {
  readonly name: string;
  readonly params: readonly string[];
  readonly rest: string | undefined;
  readonly result: Expression;
  readonly block: BlockNode;
}

/** What the files hold, sorted by what it is; of what is defined twice, the last. */
export interface Blocks {
  readonly variables: ReadonlyMap<string, VariableBlock>;
  readonly functions: ReadonlyMap<string, FunctionBlock>;
  /** Values at the top: variables that nothing overrides. */
  readonly attributes: ReadonlyMap<string, AttributeNode>;
  readonly targets: readonly BlockNode[];
  readonly groups: readonly BlockNode[];
  readonly warnings: readonly string[];
}

/** @throws BuildError BAKE_INVALID */
export function sortBlocks(bodies: readonly Body[]): Blocks {
  const blocks = bodies.flatMap((body) => body.blocks);
  const of = (type: string): BlockNode[] => blocks.filter((block) => block.type === type);
  for (const block of blocks) if (knownTypes.includes(block.type)) labelOf(block);
  const reserved = ['target', 'group'];
  const usable = <T extends { readonly name: string }>(found: readonly T[]): [string, T][] =>
    found.filter(({ name }) => !reserved.includes(name)).map((each) => [each.name, each]);
  return {
    variables: new Map(usable(of('variable').map(variableOf))),
    functions: new Map(usable(of('function').map(functionOf))),
    attributes: new Map(usable(bodies.flatMap((body) => body.attributes))),
    targets: of('target'),
    groups: of('group'),
    warnings: blocks
      .filter(({ type }) => !knownTypes.includes(type))
      .map((block) => warning(block, `block ${block.type} means nothing here`)),
  };
}

const knownTypes = ['variable', 'function', 'target', 'group'];

/** A warning with the place of what it is about in front. */
export function warning(node: { readonly span: BlockNode['span'] }, what: string): string {
  const { line, column } = positionOf(node.span);
  return `${node.span.source.name}:${line}:${column}: ${what}`;
}

/** The one label of a block. @throws BuildError BAKE_INVALID */
export function labelOf(block: BlockNode): string {
  const [label, second] = block.labels;
  if (label === undefined) throw errorAt(block.span, `${block.type} needs a name`);
  if (second !== undefined) throw errorAt(second.span, `${block.type} has one name`);
  return label.text;
}

/** What an attribute of a block is set to. */
export function attributeOf(block: { readonly body: Body }, name: string): Expression | undefined {
  return block.body.attributes.find((attribute) => attribute.name === name)?.expression;
}

function variableOf(block: BlockNode): VariableBlock {
  const validations = block.body.blocks
    .filter(({ type }) => type === 'validation')
    .map((validation) => ({
      condition: needed(validation, 'condition'),
      message: needed(validation, 'error_message'),
    }));
  const type = attributeOf(block, 'type');
  return {
    name: labelOf(block),
    type: type === undefined ? undefined : spelled(type),
    fallback: attributeOf(block, 'default'),
    description: attributeOf(block, 'description'),
    validations,
    block,
  };
}

function needed(block: BlockNode, name: string): Expression {
  const found = attributeOf(block, name);
  if (found === undefined) throw errorAt(block.span, `${block.type} needs the attribute ${JSON.stringify(name)}`);
  return found;
}

function functionOf(block: BlockNode): FunctionBlock {
  const params = needed(block, 'params');
  if (params.kind !== 'tuple') throw errorAt(params.span, 'params is a list of names');
  const rest = attributeOf(block, 'variadic_params');
  return {
    name: labelOf(block),
    params: params.items.map(parameterName),
    rest: rest === undefined ? undefined : parameterName(rest),
    result: needed(block, 'result'),
    block,
  };
}

function parameterName(expression: Expression): string {
  const name = spelled(expression);
  if (name.kind !== 'variable') throw errorAt(expression.span, 'each parameter is a name');
  return name.name;
}
