import type { Ast } from './ast.ts';
import type { BuildInputs, ResolvedConfigs } from './contract.ts';
import { silent } from './checks/reporter.ts';
import { docComment } from './doc-comment.ts';
import { expand } from './expand.ts';
import type { RunMount, SourceRange } from './graph.ts';
import { type LineRanges, lineRanges } from './line-ranges.ts';
import type { Builder } from './stage-graph/builder.ts';
import { nearestFirst, type PlannedStage } from './stage-graph/plan.ts';
import { reach } from './stage-graph/reach.ts';
import { buildStages } from './stage-graph/to-graph.ts';
import { buildArg, defaultVariables } from './stage-graph/variables.ts';

/** What a target can be given: `docker build --call=outline`. Plain JSON, with BuildKit's names. */
export interface Outline {
  readonly name?: string;
  readonly description?: string;
  readonly args?: readonly OutlineArg[];
  readonly secrets?: readonly OutlineCredential[];
  readonly ssh?: readonly OutlineCredential[];
}

export interface OutlineArg {
  readonly name: string;
  readonly description?: string;
  readonly value?: string;
  readonly location: LineRanges;
}

export interface OutlineCredential {
  readonly name: string;
  readonly required?: true;
  readonly location: LineRanges;
}

/**
 * The ARGs, secrets and ssh agents that the target uses, of its own stage and of all it is built from, in the order of
 * the file.
 * @throws DockerfileError; as `toGraph`, once `needs` is satisfied
 */
export function outlineOf(ast: Ast, inputs: BuildInputs, configs: ResolvedConfigs): Outline {
  const builder = buildStages(reach(ast, inputs, configs), { configs, reporter: silent });
  const { plan } = builder;
  const globals = globalArgs(builder);
  const mounts = mountsByStage(builder);
  const args = new Map<string, OutlineArg>();
  const secrets = new Map<string, OutlineCredential>();
  const ssh = new Map<string, OutlineCredential>();
  for (const stage of nearestFirst(plan)) {
    for (const arg of argsOf(stage, { builder, globals })) if (!args.has(arg.name)) args.set(arg.name, arg);
    for (const { mount, location } of mounts.get(stage.index) ?? []) {
      const found = mount.type === 'secret' ? secrets : mount.type === 'ssh' ? ssh : undefined;
      if (found === undefined || !('required' in mount) || found.has(mount.id)) continue;
      found.set(mount.id, {
        name: mount.id,
        ...(mount.required ? { required: true } : {}),
        location: lineRanges(location),
      });
    }
  }
  const { name, comments } = plan.target;
  const description = docComment(comments, name ?? '');
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === '' ? {} : { description }),
    ...(args.size === 0 ? {} : { args: byLine(args) }),
    ...(secrets.size === 0 ? {} : { secrets: byLine(secrets) }),
    ...(ssh.size === 0 ? {} : { ssh: byLine(ssh) }),
  };
}

function byLine<Item extends { readonly location: LineRanges }>(items: ReadonlyMap<string, Item>): Item[] {
  return [...items.values()].toSorted((a, b) => lineOf(a) - lineOf(b));
}

function lineOf({ location }: { readonly location: LineRanges }): number {
  return location.ranges[0]?.start.line ?? 0;
}

interface GlobalArg extends OutlineArg {
  /** Names that its default is made of. */
  readonly parts: Set<string>;
}

/** ARGs before the first FROM. Of several with one name the last counts, and what the earlier ones were made of. */
function globalArgs({ plan }: Builder): ReadonlyMap<string, GlobalArg> {
  const found = new Map<string, GlobalArg>();
  // A default sees what is declared before it.
  const values = new Map(defaultVariables(plan.inputs, [], { ast: plan.ast, target: '' }));
  for (const { args, range, comments } of plan.file.globalArgs) {
    for (const { key, value } of args) {
      const given = buildArg(plan.inputs, key);
      const expansion =
        given === undefined && value !== undefined ? expand(value, values, { escape: plan.ast.escape }) : undefined;
      const names = new Set(expansion?.matched ?? []);
      const actual = given ?? expansion?.text;
      if (actual !== undefined) values.set(key, actual);
      // What it was made of before is taken over as it is: a list that grows line by line must not be copied each time.
      const parts = (names.delete(key) ? found.get(key)?.parts : undefined) ?? new Set<string>();
      for (const name of names) parts.add(name);
      // A platform argument that is declared without a default has none to tell.
      const shown = given === undefined && value === undefined ? undefined : plan.globals.get(key);
      found.set(key, { ...describe(key, shown, { range, comments }), parts });
    }
  }
  return found;
}

function describe(
  name: string,
  value: string | undefined,
  { range, comments }: { readonly range: SourceRange; readonly comments: readonly string[] },
): OutlineArg {
  const description = docComment(comments, name);
  return {
    name,
    ...(description === '' ? {} : { description }),
    ...(value === undefined || value === '' ? {} : { value }),
    location: lineRanges(range),
  };
}

interface ArgSetting {
  readonly builder: Builder;
  readonly globals: ReadonlyMap<string, GlobalArg>;
}

/** The ARGs that a stage uses: its own, those of its FROM, and what these are made of. */
function argsOf(planned: PlannedStage, { builder, globals }: ArgSetting): OutlineArg[] {
  const { plan, argValues } = builder;
  const stage = plan.file.stages[planned.index];
  if (stage === undefined || planned.replaced) return [];
  const own = new Map<string, OutlineArg>();
  const used = new Set(
    [stage.base, stage.platform].flatMap((word) => [
      ...expand(word, plan.globals, { escape: plan.ast.escape }).matched,
    ]),
  );
  for (const { command } of planned.commands) {
    if (command.kind !== 'arg') continue;
    for (const arg of command.args) {
      const { key, value } = arg;
      used.add(key);
      const inherited = value === undefined && buildArg(plan.inputs, key) === undefined && plan.globals.has(key);
      if (!inherited) own.set(key, describe(key, argValues.get(arg), command));
    }
  }
  for (const name of used) for (const part of own.has(name) ? [] : (globals.get(name)?.parts ?? [])) used.add(part);
  return [...used]
    .flatMap((name) => own.get(name) ?? globals.get(name) ?? [])
    .map(({ name, description, value, location }) => ({
      name,
      ...(description === undefined ? {} : { description }),
      ...(value === undefined ? {} : { value }),
      location,
    }));
}

interface PlacedMount {
  readonly mount: RunMount;
  readonly location: SourceRange;
}

/** The mounts of the RUN steps that stand in each stage; steps come in the order of stages, triggers at their FROM. */
function mountsByStage({ plan, steps }: Builder): ReadonlyMap<number, readonly PlacedMount[]> {
  const found = new Map<number, PlacedMount[]>();
  let stage = 0;
  for (const step of steps) {
    const { location } = step;
    if (step.kind !== 'run' || location === undefined) continue;
    while ((plan.stages[stage + 1]?.range.start ?? Number.POSITIVE_INFINITY) <= location.start) stage++;
    const mounts = found.get(stage) ?? [];
    found.set(stage, mounts);
    for (const mount of step.mounts) mounts.push({ mount, location });
  }
  return found;
}
