import { sep } from 'node:path';
import type { Step } from '../../dockerfile/index.ts';
import type { OpenContext } from '../contexts/main-context.ts';
import type { BuildEvent, PlannedStep } from '../events.ts';
import { needsOf } from './schedule.ts';

/** What comes, told before the first step. `root` is the store's folder: contexts from elsewhere lie there for a while. */
export function planEvent({ dockerfile }: OpenContext, steps: readonly Step[], root: string): BuildEvent {
  const { name, path } = dockerfile;
  const isHere = path !== undefined && !path.startsWith(root + sep);
  return {
    type: 'plan',
    dockerfile: name,
    path: isHere ? path : undefined,
    steps: steps.map(plannedStep),
    time: Date.now(),
  };
}

function plannedStep(step: Step): PlannedStep {
  const { id, title, kind, stage, location } = step;
  return { id, title, kind, stage, needs: needsOf(step), location };
}
