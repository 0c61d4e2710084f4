/** A step as the critical path needs it: when it ran, and what it had to wait for. */
export interface PathStep {
  readonly id: string;
  readonly start: number;
  readonly end: number;
  /** Ids of steps whose results it uses; those that are not there are left out. */
  readonly needs: readonly string[];
  /** Work around the graph, whose needs nobody says: it waits for whatever ended before it. */
  readonly around: boolean;
}

/**
 * The chain of steps that made a build take as long as it did: the step that ended last, before it the one of its needs that
 * ended last, and so on to the first. A step of the graph that needs no other waits for the work around the graph that was
 * done before it. What a step waited for beside its needs (a free processor) is a gap in the chain, not another step.
 * @returns ids, first to last
 */
export function criticalPath(steps: readonly PathStep[]): string[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const path = new Set<string>();
  for (let at = latest(steps); at !== undefined && !path.has(at.id); at = latest(waitedFor(at, steps, byId))) {
    path.add(at.id);
  }
  return [...path].reverse();
}

function waitedFor(
  step: PathStep,
  steps: readonly PathStep[],
  byId: ReadonlyMap<string, PathStep>,
): readonly PathStep[] {
  const needs = step.needs.flatMap((id) => byId.get(id) ?? []);
  if (needs.length > 0) return needs;
  return steps.filter((other) => other !== step && other.end <= step.start && (step.around || other.around));
}

/** Of several that ended at once, the one that took longest. */
function latest(steps: readonly PathStep[]): PathStep | undefined {
  return steps.reduce<PathStep | undefined>((best, step) => {
    if (best === undefined || step.end > best.end) return step;
    return step.end === best.end && step.start < best.start ? step : best;
  }, undefined);
}
