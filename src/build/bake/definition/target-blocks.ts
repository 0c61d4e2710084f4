import { FunctionFailure } from '../hcl/limits.ts';
import { type Scope, withLocals } from '../hcl/scope.ts';
import { errorAt, type Span } from '../hcl/source.ts';
import type { BlockNode, Expression } from '../hcl/syntax.ts';
import { convert, toText, TypeMismatch } from '../hcl/type.ts';
import { isMapping, isSequence, list, object, type Value } from '../hcl/value.ts';
import { attributeOf, type Blocks, labelOf, warning } from './blocks.ts';
import { fieldFrom, valueOfField } from './field-value.ts';
import {
  type Definition,
  type FieldName,
  fieldNames,
  type FieldValue,
  type Group,
  isFieldName,
  mergeTargets,
  type Target,
} from './target.ts';

export interface BlockEvaluator {
  readonly scope: Scope;
  evaluate(expression: Expression, scope?: Scope): Value;
}

/** A block of a target, or one of the several that its matrix makes of it. */
interface Instance {
  readonly name: string;
  readonly block: BlockNode;
  readonly scope: Scope;
}

const validName = /^[a-zA-Z0-9_-]+$/;
const mostInstances = 10_000;

/** Evaluates targets and groups, attribute by attribute, since they may refer to each other. */
export class TargetBlocks {
  readonly #blocks: Blocks;
  readonly #evaluator: BlockEvaluator;
  #instances: readonly Instance[] | 'being made' | undefined;
  readonly #fields = new Map<Instance, Map<FieldName, FieldValue | undefined>>();
  readonly #open = new Set<string>();

  constructor(blocks: Blocks, evaluator: BlockEvaluator) {
    this.#blocks = blocks;
    this.#evaluator = evaluator;
  }

  read(before: Definition): Pick<Definition, 'groups' | 'targets' | 'warnings'> {
    const targets = new Map(before.targets.map((target) => [target.name, target]));
    for (const instance of this.#all()) {
      const target = this.#target(instance);
      const earlier = targets.get(target.name);
      targets.set(target.name, earlier === undefined ? target : mergeTargets(earlier, target));
    }
    const groups = new Map(before.groups.map((group) => [group.name, group]));
    for (const block of this.#blocks.groups) groups.set(labelOf(block), this.#group(block));
    for (const group of this.#matrixGroups()) if (!groups.has(group.name)) groups.set(group.name, group);
    return { targets: [...targets.values()], groups: [...groups.values()], warnings: this.#warnings() };
  }

  /** `target.app.tags` of another expression; without an attribute, all of them. */
  reference(type: string, label: string, attribute: string | undefined, span: Span): Value | undefined {
    if (type === 'group') return this.#groupReference(label, span);
    if (type !== 'target') return undefined;
    const found = this.#all(span).filter(({ name }) => name === label);
    if (found.length === 0) throw errorAt(span, `there is no target ${JSON.stringify(label)}`);
    const wanted = attribute === undefined ? fieldNames : isFieldName(attribute) ? [attribute] : [];
    const values = wanted.map((name) => [name, this.#valueIn(found, name, span)] as const);
    return object([['name', label], ...values]);
  }

  /** Of several definitions, the last that has the attribute. */
  #valueIn(instances: readonly Instance[], name: FieldName, span: Span): Value {
    const instance = instances.findLast(({ block }) => attributeOf(block, name) !== undefined);
    return instance === undefined ? null : valueOfField(name, this.#field(instance, name, span));
  }

  #groupReference(label: string, span: Span): Value {
    const block = this.#blocks.groups.findLast((each) => labelOf(each) === label);
    if (block === undefined) throw errorAt(span, `there is no group ${JSON.stringify(label)}`);
    return this.#guarded(`group.${label}`, span, () => object([['targets', list(this.#group(block).targets)]]));
  }

  #all(span?: Span): readonly Instance[] {
    if (this.#instances === 'being made') {
      const [block] = this.#blocks.targets;
      throw errorAt(
        span ?? block?.span ?? impossible(),
        'a matrix, and the name that it gives, cannot refer to targets',
      );
    }
    if (this.#instances === undefined) {
      this.#instances = 'being made';
      this.#instances = this.#blocks.targets.flatMap((block) => this.#instancesOf(block));
    }
    return this.#instances;
  }

  #instancesOf(block: BlockNode): Instance[] {
    const label = labelOf(block);
    checkName(label, block);
    const name = attributeOf(block, 'name');
    const matrix = attributeOf(block, 'matrix');
    if (matrix === undefined) {
      if (name !== undefined) throw errorAt(name.span, 'name requires matrix: without one, a target has its own name');
      return [{ name: label, block, scope: this.#evaluator.scope }];
    }
    const instances = this.#rows(matrix).map((scope) => {
      const own = name === undefined ? label : nameFrom(this.#evaluator.evaluate(name, scope), name);
      return { name: checkName(own, name === undefined ? block : { span: name.span }), block, scope };
    });
    const repeated = instances.find(
      ({ name: each }, index) => instances.findIndex((other) => other.name === each) < index,
    );
    if (repeated !== undefined)
      throw errorAt((name ?? matrix).span, `the matrix makes two targets ${JSON.stringify(repeated.name)}`, {
        hint: 'give each its own: name = "app-${value}"',
      });
    return instances;
  }

  /** Every combination of the values; those of the first name change fastest. */
  #rows(matrix: Expression): Scope[] {
    const value = this.#evaluator.evaluate(matrix);
    if (!isMapping(value)) throw errorAt(matrix.span, 'matrix must be a map of lists');
    const { scope } = this.#evaluator;
    let rows: ReadonlyMap<string, Value>[] = [new Map()];
    for (const [name, values] of value.entries) {
      if (!isSequence(values)) throw errorAt(matrix.span, `matrix.${name} must be a list`);
      if (rows.length * values.items.length > mostInstances)
        throw errorAt(matrix.span, `the matrix makes more than ${mostInstances} targets`);
      rows = values.items.flatMap((item) => rows.map((row) => new Map([...row, [name, item]])));
    }
    return rows.map((row) => withLocals(scope, row));
  }

  #target(instance: Instance): Target {
    const found: Record<string, FieldValue> = {};
    for (const { name, span } of instance.block.body.attributes) {
      const value = isFieldName(name) ? this.#field(instance, name, span) : undefined;
      if (value !== undefined) found[name] = value;
    }
    return { ...found, name: instance.name } as Target;
  }

  #field(instance: Instance, name: FieldName, span: Span): FieldValue | undefined {
    const known = this.#fields.get(instance) ?? new Map<FieldName, FieldValue | undefined>();
    this.#fields.set(instance, known);
    if (known.has(name)) return known.get(name);
    const expression = attributeOf(instance.block, name);
    if (expression === undefined) return undefined;
    const value = this.#guarded(`target.${instance.name}.${name}`, span, () =>
      located(expression, () => fieldFrom(name, this.#evaluator.evaluate(expression, instance.scope)), name),
    );
    known.set(name, value);
    return value;
  }

  #guarded<T>(what: string, span: Span, work: () => T): T {
    if (this.#open.has(what)) throw errorAt(span, `${what} depends on itself: ${[...this.#open, what].join(' → ')}`);
    this.#open.add(what);
    try {
      return work();
    } finally {
      this.#open.delete(what);
    }
  }

  #group(block: BlockNode): Group {
    const name = checkName(labelOf(block), block);
    for (const word of ['matrix', 'name']) {
      const found = attributeOf(block, word);
      if (found !== undefined) throw errorAt(found.span, `${word} is not supported for groups`);
    }
    const targets = attributeOf(block, 'targets');
    if (targets === undefined) throw errorAt(block.span, `group ${JSON.stringify(name)} needs the attribute "targets"`);
    const names = located(targets, () => fieldFrom('tags', this.#evaluator.evaluate(targets)), 'targets');
    const description = attributeOf(block, 'description');
    const said =
      description === undefined ? '' : toText(convert(this.#evaluator.evaluate(description), 'string') ?? '');
    const unique = [...new Set((names ?? []) as readonly string[])];
    return { name, ...(said === '' ? {} : { description: said }), targets: unique };
  }

  /** A matrix's label is a group of what it makes. */
  #matrixGroups(): Group[] {
    const names = new Map<string, string[]>();
    for (const { block, name } of this.#all()) names.set(labelOf(block), [...(names.get(labelOf(block)) ?? []), name]);
    return [...names]
      .map(([label, targets]) => ({ name: label, targets: [...new Set(targets)] }))
      .filter(({ name, targets }) => targets.length !== 1 || targets[0] !== name);
  }

  #warnings(): string[] {
    const { targets, groups } = this.#blocks;
    const others = (blocks: readonly BlockNode[], known: (name: string) => boolean): string[] =>
      blocks.flatMap(({ type, body }) => [
        ...body.attributes
          .filter(({ name }) => !known(name))
          .map((node) => warning(node, `${type} has no attribute ${JSON.stringify(node.name)}`)),
        ...body.blocks.map((node) =>
          warning(node, `${type} has no blocks, such as ${JSON.stringify(node.type)}; maps are written with "="`),
        ),
      ]);
    return [
      ...others(targets, (name) => isFieldName(name) || name === 'matrix' || name === 'name'),
      ...others(groups, (name) => name === 'targets' || name === 'description'),
    ];
  }
}

function impossible(): never {
  throw new Error('instances without blocks');
}

function checkName(name: string, { span }: { readonly span: Span }): string {
  if (validName.test(name)) return name;
  throw errorAt(span, `invalid name ${JSON.stringify(name)}: only letters, digits, "_" and "-" are allowed`);
}

function nameFrom(value: Value, expression: Expression): string {
  if (value === null) throw errorAt(expression.span, 'the name is null');
  return located(expression, () => toText(value), 'name');
}

function located<T>(expression: Expression, work: () => T, name: string): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TypeMismatch || error instanceof FunctionFailure)) throw error;
    throw errorAt(expression.span, `${name}: ${error.message}`, { cause: error });
  }
}
