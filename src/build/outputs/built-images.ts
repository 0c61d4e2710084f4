import type { StepId } from '../../dockerfile/index.ts';
import { timeOf } from '../plan/epoch-time.ts';
import { imageConfigOf } from './image-config.ts';
import type { BuiltImage } from './roots.ts';
import { type BuildPlan, rootOf } from '../plan/plan.ts';
import type { StepResult } from '../solve/contract.ts';

/** The image of each platform, with how much of it is its base's. */
export function builtOf(
  { platforms, steps }: BuildPlan,
  results: ReadonlyMap<StepId, StepResult>,
  epoch: number | undefined,
): readonly BuiltImage[] {
  const created = epoch === undefined ? undefined : timeOf(epoch);
  const byId = new Map(steps.map((step) => [step.id, step]));
  return platforms.map((each) => {
    const root = each.target === undefined ? undefined : rootOf(each.target, byId);
    const baseLayers = root?.kind === 'image' ? (results.get(root.id)?.diffIds.length ?? 0) : 0;
    const baseHistory = each.image.history.filter((item) => item.inherited === true).length;
    const config = imageConfigOf(each, results, { epoch: created });
    return { platform: each.platform, config, baseLayers, baseHistory };
  });
}
