import { hideCredentials } from '../hide-credentials.ts';
import { needKey, type ResolvedConfigs } from '../contract.ts';
import { buildkitRules } from '../checks/buildkit-rules.ts';
import type { Reporter } from '../checks/reporter.ts';
import type { Rule } from '../checks/rule.ts';
import { DockerfileError } from '../error.ts';
import { expand, type ExpandOptions, expandText } from '../expand.ts';
import type { GraphWarning, SourceRange, Step, StepId, TreeSource } from '../graph.ts';
import type { IgnoreMatcher } from '../ignore.ts';
import type { ArgDeclaration, Command } from '../instructions/command.ts';
import type { Part } from '../part.ts';
import type { Budget } from './budget.ts';
import type { Base, ImageBase, Plan, PlannedStage } from './plan.ts';
import { platformLabel } from './platform-label.ts';
import type { StageState } from './stage-state.ts';
import { builderArguments } from './variables.ts';

/** The graph while it grows. */
export interface Builder {
  readonly plan: Plan;
  readonly configs: ResolvedConfigs;
  readonly proxies: ReadonlyMap<string, string>;
  readonly steps: Step[];
  readonly warnings: GraphWarning[];
  /** By needKey. */
  readonly images: Map<string, StepId>;
  /** What each ARG of a stage came to, where it stands. */
  readonly argValues: Map<ArgDeclaration, string | undefined>;
  /** Finished stages by index. */
  readonly states: Map<number, StageState>;
  readonly reporter: Reporter;
  readonly budget: Budget;
  /** Images whose configs stand in for ones that are not known, by needKey. */
  readonly unknown: ReadonlySet<string>;
  /** What .dockerignore keeps from the main context; undefined where nobody asks, or it brings something back. */
  readonly ignored: IgnoredFiles | undefined;
}

export interface IgnoredFiles {
  readonly matcher: IgnoreMatcher;
  /** Whether everything is kept away. */
  readonly all: boolean;
  /** Whether one more path may be looked at: many of them against many patterns would take too long. */
  mayAsk(): boolean;
}

/** A stage at work. */
export interface Scope {
  readonly builder: Builder;
  readonly stage: PlannedStage;
  readonly state: StageState;
  readonly counter: { done: number; readonly total: number };
  /** The instruction at work. */
  readonly current: Here;
  /** The last instruction of each kind that counts only once. */
  readonly last: Map<string, Here>;
}

/** Where findings are reported, and what may skip them. */
export interface Here extends Pick<Command, 'range' | 'comments'> {
  /** Whether the instruction is an ONBUILD trigger, found at the FROM that brought it. */
  readonly triggered: boolean;
}

/** Expands a word with what is set at this point; names that are not set are reported. */
export function expandIn(scope: Scope, word: string, options: ExpandOptions = {}): string {
  const { builder, state } = scope;
  const { text, unmatched } = expand(word, state.env, { escape: builder.plan.ast.escape, ...options });
  builder.budget.spend(text.length);
  checkVariables(scope, unmatched);
  return text.toWellFormed();
}

/** Reports a finding at the current instruction. */
export function report({ builder, current }: Scope, rule: Rule, message: string, part?: Part): void {
  builder.reporter.report({ rule, message, ...current, ...(part === undefined ? {} : { part }) });
}

/** Names that were looked up in vain; one that ARG declares without a value is no mistake. */
export function checkVariables(scope: Scope, unmatched: ReadonlySet<string>): void {
  const { state, builder } = scope;
  if (unmatched.size === 0 || !builder.reporter.listens || !state.envKnown) return;
  const rule = buildkitRules.UndefinedVar;
  for (const name of unmatched) {
    if (state.args.has(name) || builderArguments.has(name)) continue;
    const suggestion = builder.reporter.suggest(name, state.env).replace('(did you mean ', '(did you mean $');
    report(scope, rule, rule.message(name, suggestion), { variable: name });
  }
}

/** Everything of a step but its number. */
type StepDraft = Step extends infer Each ? (Each extends Step ? Omit<Each, 'id'> : never) : never;

export function addStep(builder: Builder, draft: StepDraft): StepId {
  const id = `s${builder.steps.length}`;
  builder.steps.push({ ...draft, id } as Step);
  return id;
}

/** Members that every step of a stage has. */
export function stepBase(scope: Scope, title: string, location: SourceRange) {
  const { index, name } = scope.stage;
  return { title, stage: name ?? String(index), location };
}

export interface TitleOptions extends ExpandOptions {
  readonly triggered: boolean;
  readonly suffix?: string;
  readonly variables?: ReadonlyMap<string, string>;
}

/** `[build 2/5] RUN npm ci`: the instruction with its variables, counted. */
export function stepTitle(scope: Scope, line: string, options: TitleOptions): string {
  const text = hideCredentials(expandQuietly(line, options.variables ?? scope.state.env, options));
  scope.builder.budget.spend(text.length);
  const blank = text.search(/\s/);
  const shown = blank < 0 ? text.toUpperCase() : text.slice(0, blank).toUpperCase() + text.slice(blank);
  return `${titlePrefix(scope)}${options.triggered ? 'ONBUILD ' : ''}${shown}${options.suffix ?? ''}`.toWellFormed();
}

export function titlePrefix({ builder, stage, state, counter }: Scope): string {
  const { plan } = builder;
  const { total } = counter;
  const platform = plan.inputs.showPlatform === true ? `${platformLabel(plan, stage, state.env)} ` : '';
  const label = plan.stages.length > 1 ? `${stage.label} ` : '';
  return `[${platform}${label}${String(++counter.done).padStart(String(total).length)}/${total}] `;
}

function expandQuietly(line: string, variables: ReadonlyMap<string, string>, options: ExpandOptions): string {
  try {
    return expandText(line, variables, options);
  } catch (error) {
    if (error instanceof DockerfileError) return line;
    throw error;
  }
}

/** The step that holds an image, made at its first use. */
export function imageStep(scope: Scope, image: ImageBase, title: string): StepId {
  const { builder, stage } = scope;
  const key = needKey(image);
  const known = builder.images.get(key);
  if (known !== undefined) return known;
  const { name, platform } = image;
  const id = addStep(builder, { kind: 'image', ...stepBase(scope, title, stage.range), name, platform });
  builder.images.set(key, id);
  return id;
}

/** The tree of a source; `what` opens the message where its stage comes too late. */
export function treeSource(scope: Scope, source: Base | undefined, tooLate: (label: string) => string): TreeSource {
  const { builder, stage } = scope;
  switch (source?.kind) {
    case undefined:
      if (builder.plan.inputs.hasContext) return { kind: 'context' };
      throw new DockerfileError('NO_CONTEXT', 'there is no build context to take files from', {
        hint: 'the Dockerfile came alone on standard input; name a folder as the context',
      });
    case 'scratch':
      return { kind: 'empty' };
    case 'tree':
      return { kind: 'context', name: source.key };
    case 'image':
      return { kind: 'step', step: imageStep(scope, source, `FROM ${source.name}`) };
    case 'stage': {
      const state = source.index < stage.index ? builder.states.get(source.index) : undefined;
      if (state === undefined) {
        const label = builder.plan.stages[source.index]?.label ?? String(source.index);
        throw new DockerfileError('UNKNOWN_STAGE', tooLate(label));
      }
      return state.tip === undefined ? { kind: 'empty' } : { kind: 'step', step: state.tip };
    }
  }
}
