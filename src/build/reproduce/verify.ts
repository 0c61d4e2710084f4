import type { StepId } from '../../dockerfile/index.ts';
import type { CallOptions, Digest } from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { BuildError } from '../error.ts';
import type { BuildEvent, OnBuildEvent } from '../events.ts';
import type { BuildPlan } from '../plan/plan.ts';
import type { StepResult } from '../solve/contract.ts';
import { compareLayers, type LayerDifference } from './compare-layers.ts';

type Results = ReadonlyMap<StepId, StepResult>;

export interface VerifyOptions extends CallOptions {
  readonly store: Pick<Store, 'openLayer'>;
  readonly onEvent: OnBuildEvent;
}

/** How many files of a step are named. */
const mostFiles = 50;

/**
 * Compares what the steps of two builds of the same plan left.
 * @throws BuildError NOT_REPRODUCIBLE, with the files that differ, those of the first step that differs first
 */
export async function requireSameResults(
  plan: Pick<BuildPlan, 'steps'>,
  [first, second]: readonly [Results, Results],
  { store, onEvent, signal }: VerifyOptions,
): Promise<void> {
  const lines: string[] = [];
  for (const { id, title } of plan.steps) {
    const [one, other] = [ownLayer(first, id), ownLayer(second, id)];
    if (one === undefined || other === undefined || one === other) continue;
    const [left, right] = [await store.openLayer(one, { signal }), await store.openLayer(other, { signal })];
    lines.push(title, ...linesOf(await compareLayers(left, right)));
  }
  if (lines.length === 0) {
    const message = 'two builds without the cache made the same layers: this build is reproducible';
    return onEvent({ type: 'note', level: 'info', message });
  }
  throw new BuildError('NOT_REPRODUCIBLE', 'two builds without the cache made different layers', {
    details: lines,
    hint: 'remove what differs in the step that makes it, or make it without times and chance',
  });
}

function ownLayer(results: Results, id: StepId): Digest | undefined {
  return results.get(id)?.diffIds.at(-1);
}

function linesOf(differences: readonly LayerDifference[]): readonly string[] {
  const lines = differences.slice(0, mostFiles).map(lineOf);
  const more = differences.length - lines.length;
  return more > 0 ? [...lines, `  and ${more} more`] : lines;
}

function lineOf({ path, what }: LayerDifference): string {
  if (what === 'added') return `  /${path}: only the second build has it`;
  if (what === 'removed') return `  /${path}: only the first build has it`;
  return `  /${path}: its ${what} differs`;
}

/** Events of the second build, under ids and titles of their own. */
export function again(onEvent: OnBuildEvent): OnBuildEvent {
  const idOf = (id: string) => `again ${id}`;
  return (event: BuildEvent) => {
    if (event.type === 'note') return onEvent(event);
    if (event.type === 'plan') {
      const steps = event.steps.map((step) => ({
        ...step,
        id: idOf(step.id),
        title: titleOf(step.title),
        needs: step.needs.map(idOf),
      }));
      return onEvent({ ...event, steps });
    }
    const renamed = { ...event, id: idOf(event.id) };
    onEvent(renamed.type === 'step-start' ? { ...renamed, title: titleOf(renamed.title) } : renamed);
  };
}

function titleOf(title: string): string {
  return `again ${title}`;
}
