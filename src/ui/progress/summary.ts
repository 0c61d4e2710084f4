import type { StepOutcome, StepState, Steps } from './steps.ts';

/** A build in figures. Times are milliseconds. */
export interface BuildSummary {
  readonly duration: number;
  readonly counts: Readonly<Record<StepOutcome, number>>;
  /** What the cached steps took when they were done. */
  readonly saved: number;
  /** Bytes of all layers that steps made or found. */
  readonly size: number;
  /** Whether anything of the Dockerfile was done, not only found. */
  readonly worked: boolean;
  /** Steps that took time or hold bytes, slowest first. */
  readonly steps: readonly StepSummary[];
}

export interface StepSummary {
  readonly id: string;
  readonly title: string;
  readonly outcome: StepOutcome;
  readonly duration: number;
  readonly size: number | undefined;
  readonly saved: number | undefined;
}

export function summaryOf(steps: Steps, now: number): BuildSummary {
  const all = steps.all;
  const began = Math.min(now, ...all.map(({ started }) => started));
  return {
    duration: now - began,
    counts: {
      running: steps.count('running'),
      done: steps.count('done'),
      cached: steps.count('cached'),
      skipped: steps.count('skipped'),
      cancelled: steps.count('cancelled'),
      error: steps.count('error'),
    },
    saved: sum(all.map(({ saved }) => saved)),
    size: sum(all.map(({ size }) => size)),
    worked: all.some((step) => step.outcome === 'done' && isWork(step, steps)),
    steps: all
      .map((step) => ({
        id: step.id,
        title: step.title,
        outcome: step.outcome,
        duration: step.elapsed(now),
        size: step.size,
        saved: step.saved,
      }))
      .sort((a, b) => b.duration - a.duration),
  };
}

/** Bases are only looked up, and what is around the steps (contexts, exports) is done every time. */
function isWork({ id }: StepState, steps: Steps): boolean {
  const planned = steps.planned(id);
  return planned !== undefined && planned.kind !== 'image';
}

function sum(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}
