import type { Ast } from '../ast.ts';
import { type BuildInputs, needKey, type PlacedNeed, type ResolvedConfigs } from '../contract.ts';
import { DockerfileError } from '../error.ts';
import { at, placeIn } from '../place.ts';
import type { Reporter } from '../checks/reporter.ts';
import { parse } from '../parse.ts';
import { parseCommand } from '../instructions/parse-command.ts';
import {
  type Base,
  nearestFirst,
  type Plan,
  planCommand,
  type PlannedCommand,
  type PlannedStage,
  planStages,
} from './plan.ts';

/** A plan whose reachable stages have the triggers of their bases before their own commands. */
export interface Reach {
  readonly plan: Plan;
  /** In the order of the file. */
  readonly stages: readonly PlannedStage[];
  /** Images whose config is not among those given. */
  readonly needs: readonly PlacedNeed[];
}

/**
 * The images whose configs `toGraph` still misses: bases and sources of the stages that the target needs. Ask again
 * with their configs until nothing is left, for the ONBUILD triggers of one may name others.
 * @throws DockerfileError for anything that is wrong without knowing any image
 */
export function needs(ast: Ast, inputs: BuildInputs, configs: ResolvedConfigs): readonly PlacedNeed[] {
  return reach(ast, inputs, configs).needs;
}

export interface ReachOptions {
  readonly reporter?: Reporter;
  /** Takes every stage as needed. */
  readonly all?: boolean;
}

export function reach(ast: Ast, inputs: BuildInputs, configs: ResolvedConfigs, options: ReachOptions = {}): Reach {
  const plan = planStages(ast, inputs, options.reporter);
  const triggered = new Set<PlannedStage>();
  const left = { triggers: maxTriggers };
  for (;;) {
    const stages = options.all === true ? plan.stages : reachable(plan);
    const news = stages.filter((stage) => !triggered.has(stage) && triggersKnown(stage, configs));
    if (news.length === 0) return { plan, stages, needs: missing(stages, configs) };
    for (const stage of news) {
      triggered.add(stage);
      addTriggers(plan, stage, { configs, left });
    }
  }
}

function reachable(plan: Plan): PlannedStage[] {
  const reached = new Set(nearestFirst(plan));
  return plan.stages.filter((stage) => reached.has(stage));
}

function triggersKnown({ base }: PlannedStage, configs: ResolvedConfigs): boolean {
  return base.kind !== 'image' || configs.has(needKey(base));
}

/** Triggers of all stages together: many of a base that many begin with. */
const maxTriggers = 100_000;

interface Triggers {
  readonly configs: ResolvedConfigs;
  readonly left: { triggers: number };
}

function addTriggers(plan: Plan, stage: PlannedStage, { configs, left }: Triggers): void {
  const place = placeIn(plan.ast, stage.range, 'trigger');
  const triggers = triggersOf(plan, stage.base, configs);
  left.triggers -= triggers.length;
  if (left.triggers < 0) {
    at(place, () => {
      throw new DockerfileError('INVALID_ARGUMENT', `bases bring more than ${maxTriggers} ONBUILD triggers`);
    });
  }
  const commands = triggers.map((text) =>
    planCommand(
      plan,
      at(place, () => parseTrigger(text)),
      stage.range,
      { triggered: true },
    ),
  );
  // Too many for the arguments of one call, it may be.
  for (const own of stage.commands.splice(0)) commands.push(own);
  for (const each of commands) stage.commands.push(each);
}

function triggersOf(plan: Plan, base: Base, configs: ResolvedConfigs): readonly string[] {
  if (base.kind === 'image') return configs.get(needKey(base))?.config.OnBuild ?? [];
  if (base.kind !== 'stage') return [];
  return (plan.stages[base.index]?.commands ?? []).flatMap(({ command }) =>
    command.kind === 'onbuild' ? [command.expression] : [],
  );
}

/** A trigger of a config is text of somebody else's Dockerfile. */
function parseTrigger(text: string) {
  const { instructions } = unplaced(() => parse(text));
  const [instruction] = instructions;
  if (instruction === undefined || instructions.length > 1) {
    throw new DockerfileError('SYNTAX', 'onbuild trigger should be a single expression');
  }
  const keyword = instruction.name.toUpperCase();
  if (keyword === 'FROM' || keyword === 'MAINTAINER' || keyword === 'ONBUILD') {
    throw new DockerfileError('INVALID_ARGUMENT', `${keyword} isn't allowed as an ONBUILD trigger`);
  }
  return parseCommand(instruction);
}

/** Lines of a trigger mean nothing in this file. */
function unplaced<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    const { message } = error.cause instanceof DockerfileError ? error.cause : error;
    throw new DockerfileError(error.code, `in an ONBUILD trigger of the base: ${message}`, { cause: error });
  }
}

function missing(stages: readonly PlannedStage[], configs: ResolvedConfigs): PlacedNeed[] {
  const found = new Map<string, PlacedNeed>();
  for (const { source, range, part } of stages.flatMap(placedSources)) {
    if (source?.kind !== 'image' || configs.has(needKey(source)) || found.has(needKey(source))) continue;
    const { name, platform } = source;
    found.set(needKey(source), { name, platform, range, ...(part === undefined ? {} : { part }) });
  }
  return [...found.values()];
}

interface PlacedSource extends Pick<PlacedNeed, 'range' | 'part'> {
  readonly source: Base | undefined;
}

/** What a stage reads, and where it says so. */
function placedSources({ base, range, replaced, commands }: PlannedStage): PlacedSource[] {
  return [
    { source: base, range, part: { arg: replaced ? 2 : 0 } },
    ...commands.flatMap((planned) => planned.sources.map((source, index) => placed(planned, index, source))),
  ];

  function placed({ command, triggered }: PlannedCommand, index: number, source: Base | undefined): PlacedSource {
    // What a trigger says is written in no line of this file.
    if (triggered) return { source, range };
    const flag = command.kind === 'run' ? command.mounts[index]?.flag : 'from';
    return { source, range: command.range, ...(flag === undefined ? {} : { part: { flag } }) };
  }
}
