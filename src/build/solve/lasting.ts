import type { Step, StepId } from '../../dockerfile/index.ts';
import { needsOf } from './schedule.ts';

/** Steps whose own layer is part of what a last step leaves. */
export function lastingOf(steps: readonly Step[]): ReadonlySet<StepId> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const needed = new Set(steps.flatMap(needsOf));
  const lasting = new Set<StepId>();
  for (const last of steps.filter(({ id }) => !needed.has(id))) {
    for (let at: Step | undefined = last; at !== undefined; ) {
      lasting.add(at.id);
      at = at.kind === 'image' || at.input === undefined ? undefined : byId.get(at.input);
    }
  }
  return lasting;
}
