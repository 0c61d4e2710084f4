import { needKey, type ResolvedConfigs } from '../contract.ts';
import { DockerfileError } from '../error.ts';
import { type ExpandOptions, expandText } from '../expand.ts';
import type { GraphWarning, SourceRange, Step, StepId, TreeSource } from '../graph.ts';
import type { Base, ImageBase, Plan, PlannedStage } from './plan.ts';
import { platformLabel } from './platform-label.ts';
import type { StageState } from './stage-state.ts';

/** The graph while it grows. */
export interface Builder {
  readonly plan: Plan;
  readonly configs: ResolvedConfigs;
  readonly proxies: ReadonlyMap<string, string>;
  readonly steps: Step[];
  readonly warnings: GraphWarning[];
  /** By needKey. */
  readonly images: Map<string, StepId>;
  /** Finished stages by index. */
  readonly states: Map<number, StageState>;
}

/** A stage at work. */
export interface Scope {
  readonly builder: Builder;
  readonly stage: PlannedStage;
  readonly state: StageState;
  readonly counter: { done: number; readonly total: number };
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
  const text = expandQuietly(line, options.variables ?? scope.state.env, options);
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
