import type { Step, StepId } from '../../dockerfile/index.ts';
import { needsOf } from './schedule.ts';

/** Steps that no other step waits for. */
export function lastOf(steps: readonly Step[]): ReadonlySet<StepId> {
  const needed = new Set(steps.flatMap(needsOf));
  return new Set(steps.flatMap(({ id }) => (needed.has(id) ? [] : [id])));
}

/** Steps whose own layer is part of what a last step leaves. */
export function lastingOf(steps: readonly Step[]): ReadonlySet<StepId> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const lasting = new Set<StepId>();
  for (const last of lastOf(steps)) {
    for (let at = byId.get(last); at !== undefined; ) {
      lasting.add(at.id);
      at = at.kind === 'image' || at.input === undefined ? undefined : byId.get(at.input);
    }
  }
  return lasting;
}
