import type { Ast, BuildInputs } from '../../dockerfile/index.ts';
import type { Platform } from '../../oci/index.ts';
import type { BaseImages } from './base-images.ts';
import type { TimedSources } from '../contexts/source-time.ts';
import { type BuildPlan, planOf } from './plan.ts';
import type { BuildRequest } from '../request.ts';
import { epochOf } from './epoch.ts';

export interface EpochPlanning {
  readonly images: BaseImages;
  readonly platforms: readonly Platform[];
  readonly sources: TimedSources;
  readonly request: Pick<BuildRequest, 'reproducible'>;
}

export interface PlanWithEpoch {
  readonly plan: BuildPlan;
  /** Seconds since 1970; undefined where the build need not be reproducible. */
  readonly epoch: number | undefined;
}

/**
 * The plan of a build, and the time that it takes for now. A time that had to be found out first is given back to the Dockerfile as
 * SOURCE_DATE_EPOCH, which may use it.
 * @throws as `planOf` and `epochOf`
 */
export async function planWithEpoch(ast: Ast, inputs: BuildInputs, planning: EpochPlanning): Promise<PlanWithEpoch> {
  const { images, sources, request } = planning;
  const plan = await planOf(ast, inputs, planning);
  const wanted = request.reproducible ?? false;
  const epoch = await epochOf(plan, { ...sources, wanted, imageOf: (step) => images.imageOf(step) });
  if (epoch === undefined || plan.epoch?.kind === 'seconds') return { plan, epoch };
  const buildArgs = { ...inputs.buildArgs, SOURCE_DATE_EPOCH: String(epoch) };
  return { plan: await planOf(ast, { ...inputs, buildArgs }, planning), epoch };
}
