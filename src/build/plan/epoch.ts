import type { StepId } from '../../dockerfile/index.ts';
import { contextCommitTime, sourceTime, type TimedSources } from '../contexts/source-time.ts';
import { type BuildPlan, rootOf } from './plan.ts';
import type { ResolvedImage } from '../images/resolve.ts';
import type { ImageStep } from '../../dockerfile/index.ts';

/** 1980-01-01: what zip archives and FAT can tell. Some images say that they were made in 1970, or never. */
const earliest = 315_532_800;

const unknownTime =
  'SOURCE_DATE_EPOCH names something of which nobody knows when it was made (a context with changes that are not committed, say): it is not heeded';

export interface EpochSettings extends TimedSources {
  /** `--reproducible` */
  readonly wanted: boolean;
  imageOf(step: ImageStep): ResolvedImage;
}

/**
 * The time that a reproducible build takes for now, in seconds since 1970: what SOURCE_DATE_EPOCH says, else the commit time of a
 * clean git context, else when the base was made. Undefined where the build need not be reproducible.
 * @throws BuildError as fetching does
 */
export async function epochOf(plan: BuildPlan, settings: EpochSettings): Promise<number | undefined> {
  if (plan.epoch !== undefined) {
    const found = await sourceTime(plan.epoch, settings);
    if (found !== undefined) return found;
    settings.onEvent?.({ type: 'note', level: 'warning', message: unknownTime });
  }
  if (!settings.wanted) return undefined;
  return (await contextCommitTime(settings.context)) ?? baseTime(plan, settings);
}

/** The latest time of the bases that the images of all platforms stand on. */
function baseTime({ platforms, steps }: BuildPlan, settings: EpochSettings): number {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const timeOf = (target: StepId | undefined): number => {
    const root = target === undefined ? undefined : rootOf(target, byId);
    const created = root?.kind === 'image' ? Date.parse(settings.imageOf(root).config.created ?? '') : Number.NaN;
    return Number.isNaN(created) ? earliest : Math.floor(created / 1000);
  };
  return Math.max(earliest, ...platforms.map(({ target }) => timeOf(target)));
}
