import { normalizePlatform, parsePlatform, type Platform } from '../../oci/index.ts';
import type { Ast } from '../ast.ts';
import type { BuildInputs } from '../contract.ts';
import { DockerfileError, inPart } from '../error.ts';
import { at, placeIn } from '../place.ts';
import { expand } from '../expand.ts';
import type { EpochSource, SourceRange } from '../graph.ts';
import { checkImageName, findContext, type FoundContext } from '../image-name.ts';
import type { Command, Stage, Stages } from '../instructions/command.ts';
import { mountFrom } from '../instructions/mount.ts';
import { checkFromArguments, checkPlatform, type FromSetting } from '../checks/from-checks.ts';
import { type Reporter, silent } from '../checks/reporter.ts';
import { checkContinuations, checkDefaultBases, checkStages } from '../checks/text-checks.ts';
import { toStages } from '../stages.ts';
import { quote } from '../quote.ts';
import { didYouMean } from '../suggest.ts';
import { epochOf } from './epoch.ts';
import { defaultVariables, type GlobalOptions, globalVariables } from './variables.ts';

/** The whole file with names resolved as far as text and inputs go. */
export interface Plan {
  readonly ast: Ast;
  /** The same file, its commands as they are written. */
  readonly file: Stages;
  readonly inputs: BuildInputs;
  readonly globals: ReadonlyMap<string, string>;
  readonly stages: readonly PlannedStage[];
  /** By lower-case name; of several stages with one name the last counts. */
  readonly names: ReadonlyMap<string, PlannedStage>;
  readonly target: PlannedStage;
  readonly epoch: EpochSource | undefined;
}

export interface PlannedStage {
  readonly index: number;
  /** For people and titles: its name, else `stage-N`. */
  readonly label: string;
  readonly name: string | undefined;
  readonly base: Base;
  /** What the first of the stages that it goes back to begins with. */
  readonly root: Exclude<Base, { readonly kind: 'stage' }>;
  /** Whether a named context of the same name stands in its place, commands and all; then it is nothing but its base. */
  readonly replaced: boolean;
  readonly range: SourceRange;
  readonly comments: readonly string[];
  readonly commands: PlannedCommand[];
}

/** What a stage begins with. */
export type Base =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly index: number }
  | ImageBase
  /** A named context that is a folder; `key` in BuildInputs.contexts. */
  | { readonly kind: 'tree'; readonly key: string };

export interface ImageBase {
  readonly kind: 'image';
  readonly name: string;
  readonly platform: Platform;
  /** True where FROM has `--platform`. */
  readonly fixed: boolean;
}

export interface PlannedCommand {
  readonly command: Command;
  /** What `--from` names, or each mount of RUN in order; undefined where nothing is named. */
  readonly sources: readonly (Base | undefined)[];
  /** True for ONBUILD triggers. */
  readonly triggered: boolean;
}

/** @throws DockerfileError */
export function planStages(ast: Ast, given: BuildInputs, reporter: Reporter = silent): Plan {
  checkContinuations(ast, reporter);
  const file = toStages(ast, reporter);
  const { globalArgs, stages } = file;
  checkStages(file, reporter);
  const options = { ast, target: given.target ?? stages.at(-1)?.name ?? 'default' };
  if (reporter.listens) checkDefaults(file, given, { ...options, reporter });
  const variables = globalVariables(given, globalArgs, options);
  const epoch = epochOf({ ast, inputs: given, stages, globalArgs, globals: variables });
  const inputs = epoch === undefined || epoch.kind === 'seconds' ? given : withoutEpoch(given);
  const globals = inputs === given ? variables : without(variables, 'SOURCE_DATE_EPOCH');
  const declared = new Set([...globals.keys(), ...globalArgs.flatMap(({ args }) => args.map(({ key }) => key))]);
  const planned: PlannedStage[] = [];
  const names = new Map<string, PlannedStage>();
  for (const stage of stages) {
    const { index, name, range, comments } = stage;
    const base = at(placeIn(ast, range, 'build'), () =>
      baseOf(stage, names, { ast, inputs, globals, declared, reporter }),
    );
    const replaced = name !== undefined && findContext(name, inputs.contexts) !== undefined;
    const label = name ?? `stage-${index}`;
    const next = { index, name, label, base, root: rootOf(base, planned), replaced, range, comments, commands: [] };
    planned.push(next);
    if (name !== undefined) names.set(name, next);
  }
  const target = findTarget(planned, names, inputs.target);
  const plan = { ast, file, inputs, globals, stages: planned, names, target, epoch };
  for (const [index, stage] of stages.entries()) {
    if (planned[index]?.replaced === true) continue;
    for (const command of stage.commands) planned[index]?.commands.push(planCommand(plan, command, stage.range));
  }
  checkCircles(plan);
  for (const stage of planned) checkNames(plan, stage);
  return plan;
}

/** That images of outside can be meant at all. */
function checkNames(plan: Plan, { base, commands, range }: PlannedStage): void {
  at(placeIn(plan.ast, range, 'build'), () => inPart({ arg: 0 }, () => checkName(plan, base)));
  for (const command of commands) checkSourceNames(plan, command);
}

function checkSourceNames(plan: Plan, { command, sources }: PlannedCommand): void {
  for (const [index, source] of sources.entries()) {
    const flag = command.kind === 'run' ? (command.mounts[index]?.flag ?? 0) : 'from';
    at(placeIn(plan.ast, command.range, 'build'), () => inPart({ flag }, () => checkName(plan, source)));
  }
}

function checkName({ inputs }: Plan, base: Base | undefined): void {
  if (base?.kind === 'image' && findContext(base.name, inputs.contexts) === undefined) checkImageName(base.name);
}

/** A time that is yet to be found out is no value that anything could see. */
function withoutEpoch(inputs: BuildInputs): BuildInputs {
  const { SOURCE_DATE_EPOCH: _, ...buildArgs } = inputs.buildArgs;
  return { ...inputs, buildArgs };
}

function without(variables: ReadonlyMap<string, string>, name: string): ReadonlyMap<string, string> {
  return new Map([...variables].filter(([key]) => key !== name));
}

type Setting = Pick<Plan, 'ast' | 'inputs'> & FromSetting;

/** What the file says where nothing is given: an error in it is the build's to tell. */
function checkDefaults(
  { globalArgs, stages }: Stages,
  inputs: BuildInputs,
  { reporter, ...options }: GlobalOptions & { readonly reporter: Reporter },
) {
  try {
    const defaults = defaultVariables(inputs, globalArgs, options);
    checkDefaultBases(stages, { escape: options.ast.escape, defaults }, reporter);
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
  }
}

function baseOf(stage: Stage, earlier: ReadonlyMap<string, PlannedStage>, setting: Setting): Base {
  const { ast, inputs, globals } = setting;
  const { text, unmatched } = expand(stage.base, globals, { escape: ast.escape });
  checkFromArguments(stage, unmatched, setting);
  if (text === '') {
    throw new DockerfileError('INVALID_ARGUMENT', `base name (${stage.base}) should not be blank`, {
      hint: 'an ARG that FROM uses is declared before the first FROM',
      part: { arg: 0 },
    });
  }
  const platform = inPart({ flag: 'platform' }, () => platformOf(stage, setting));
  const context = stage.name === undefined ? undefined : findContext(stage.name, inputs.contexts);
  if (context !== undefined) return contextBase(context, platform ?? inputs.platform, earlier);
  const base = earlier.get(text.toLowerCase());
  if (base !== undefined) return stageBase(base);
  return outsideBase(text, platform, { inputs, stages: earlier });
}

function platformOf(stage: Stage, setting: Setting): Platform | undefined {
  if (stage.platform === '') return undefined;
  const { ast, globals } = setting;
  const expansion = expand(stage.platform, globals, { escape: ast.escape });
  const { text, unmatched } = expansion;
  checkFromArguments(stage, unmatched, setting);
  checkPlatform(stage, expansion, setting);
  if (text === '') {
    const suggestion = suggestOne(unmatched, globals);
    throw new DockerfileError(
      'INVALID_PLATFORM',
      `empty platform value from expression ${stage.platform}${suggestion}`,
    );
  }
  try {
    return parsePlatform(text);
  } catch (cause) {
    const reason = `${cause instanceof Error ? cause.message : String(cause)}${suggestOne(unmatched, globals)}`;
    throw new DockerfileError('INVALID_PLATFORM', `failed to parse platform ${stage.platform}: ${reason}`, { cause });
  }
}

/** A name for the first that is a slip of one; of many only some are looked at. */
function suggestOne(unmatched: ReadonlySet<string>, globals: ReadonlyMap<string, string>): string {
  const suggestions = [...unmatched].slice(0, 10).map((name) => didYouMean(name, globals.keys()));
  return suggestions.find((word) => word !== '') ?? '';
}

type StageNames = ReadonlyMap<string, PlannedStage>;

interface Outside {
  readonly inputs: BuildInputs;
  /** Those that a context may stand for. */
  readonly stages: StageNames;
}

/** What a name that is no stage's means. */
function outsideBase(name: string, platform: Platform | undefined, { inputs, stages }: Outside): Base {
  if (name === 'scratch') return { kind: 'scratch' };
  const wanted = platform ?? normalizePlatform(inputs.platform);
  const context = findContext(name, inputs.contexts);
  if (context !== undefined && context.kind !== 'image') return contextBase(context, wanted, stages);
  return { kind: 'image', name, platform: wanted, fixed: platform !== undefined };
}

function stageBase({ replaced, base, index }: PlannedStage): Base {
  return replaced ? base : { kind: 'stage', index };
}

function rootOf(base: Base, stages: readonly PlannedStage[]): PlannedStage['root'] {
  if (base.kind !== 'stage') return base;
  const below = stages[base.index];
  if (below === undefined) throw new Error('a base comes before what is built on it');
  return below.root;
}

function contextBase({ key, kind }: FoundContext, platform: Platform, stages: StageNames): Base {
  if (kind === 'tree') return { kind, key };
  if (kind === 'image') return { kind, name: key, platform, fixed: false };
  const stage = stages.get(kind.stage.toLowerCase());
  if (stage !== undefined) return stageBase(stage);
  const suggestion = didYouMean(kind.stage, stages.keys());
  throw new DockerfileError('UNKNOWN_STAGE', `context ${key}: no stage ${quote(kind.stage)} comes before${suggestion}`);
}

function findTarget(
  stages: readonly PlannedStage[],
  names: ReadonlyMap<string, PlannedStage>,
  name: string | undefined,
): PlannedStage {
  const target = name === undefined || name === '' ? stages.at(-1) : names.get(name.toLowerCase());
  if (target !== undefined) return target;
  const suggestion = didYouMean(
    name ?? '',
    stages.map((stage) => stage.label),
  );
  throw new DockerfileError('UNKNOWN_STAGE', `target stage ${quote(name ?? '')} could not be found${suggestion}`);
}

/** Resolves what a command reads from. `range` is where the user finds it (for a trigger, its FROM). */
export function planCommand(
  plan: Plan,
  command: Command,
  range: SourceRange,
  { triggered = false }: { readonly triggered?: boolean } = {},
): PlannedCommand {
  const place = triggered ? placeIn(plan.ast, range, 'trigger') : placeIn(plan.ast, command.range, 'build');
  return at(place, () => {
    const sources = sourcesOf(plan, command);
    // Those of the file are checked once all of it is known.
    if (triggered) for (const source of sources) checkName(plan, source);
    return { command, sources, triggered };
  });
}

function sourcesOf(plan: Plan, command: Command): (Base | undefined)[] {
  if (command.kind === 'copy') {
    return [command.from === '' ? undefined : inPart({ flag: 'from' }, () => copySource(plan, command.from))];
  }
  if (command.kind !== 'run') return [];
  return command.mounts.map(({ text, flag }) => {
    const from = mountFrom(text);
    return from === '' ? undefined : inPart({ flag }, () => namedSource(plan, from));
  });
}

function copySource(plan: Plan, from: string): Base {
  if (expand(from, new Map(), { escape: plan.ast.escape }).text !== from) {
    throw new DockerfileError(
      'INVALID_ARGUMENT',
      'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
    );
  }
  if (!/^[+-]?\d+$/.test(from)) return namedSource(plan, from);
  const stage = plan.stages[Number(from)];
  if (stage === undefined) {
    throw new DockerfileError('UNKNOWN_STAGE', `invalid stage index ${from}`, {
      hint: `the stages of this file are 0 to ${plan.stages.length - 1}`,
    });
  }
  return stageBase(stage);
}

function namedSource(plan: Plan, name: string): Base {
  const stage = plan.names.get(name.toLowerCase());
  return stage === undefined
    ? outsideBase(name, undefined, { inputs: plan.inputs, stages: plan.names })
    : stageBase(stage);
}

/** The stages that the target is made from: itself, then what it is built on, then what it copies from, and so on. */
export function nearestFirst({ stages, target }: Plan): PlannedStage[] {
  const seen = new Set([target.index]);
  for (const index of seen) {
    const stage = stages[index];
    if (stage !== undefined) for (const next of dependenciesOf(stage)) seen.add(next);
  }
  return [...seen].flatMap((index) => stages[index] ?? []);
}

/** Indexes of the stages that a stage reads, its base included. */
function dependenciesOf(stage: PlannedStage): number[] {
  const sources = [stage.base, ...stage.commands.flatMap((command) => command.sources)];
  return sources.flatMap((source) => (source?.kind === 'stage' ? [source.index] : []));
}

/** Depth first without recursion: a file may have any number of stages. */
function checkCircles({ ast, stages }: Plan): void {
  const done = new Set<number>();
  const open = new Set<number>();
  for (const first of stages) {
    const path = [{ stage: first, rest: dependenciesOf(first) }];
    if (!done.has(first.index)) open.add(first.index);
    else path.pop();
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const index = top.rest.pop();
      const next = index === undefined ? undefined : stages[index];
      if (next === undefined) {
        open.delete(top.stage.index);
        done.add(top.stage.index);
        path.pop();
      } else if (open.has(next.index)) throwCircle(ast, top.stage);
      else if (!done.has(next.index)) {
        open.add(next.index);
        path.push({ stage: next, rest: dependenciesOf(next) });
      }
    }
  }
}

function throwCircle(ast: Ast, { label, range }: PlannedStage): never {
  return at(placeIn(ast, range, 'build'), () => {
    throw new DockerfileError('CIRCULAR_DEPENDENCY', `circular dependency detected on stage: ${label}`);
  });
}
