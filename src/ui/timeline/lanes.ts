import type { TimelineStep } from './timeline.ts';

/** Steps of one stage, in as few rows as keep them from overlapping. */
export interface Lane {
  /** The stage; undefined for work around the graph. */
  readonly stage: string | undefined;
  readonly rows: readonly (readonly TimelineStep[])[];
}

/** One lane a stage, in the order in which their first steps began. */
export function lanesOf(steps: readonly TimelineStep[]): Lane[] {
  const stages = new Map<string | undefined, TimelineStep[]>();
  for (const step of [...steps].sort((a, b) => a.start - b.start)) {
    const lane = stages.get(step.stage) ?? [];
    stages.set(step.stage, [...lane, step]);
  }
  return [...stages].map(([stage, list]) => ({ stage, rows: rowsOf(list) }));
}

function rowsOf(steps: readonly TimelineStep[]): TimelineStep[][] {
  const rows: TimelineStep[][] = [];
  for (const step of steps) {
    const free = rows.find((row) => (row.at(-1)?.end ?? 0) <= step.start);
    if (free === undefined) rows.push([step]);
    else free.push(step);
  }
  return rows;
}

/** Round times for the axis, at most about eight, without the last one where it would touch the edge. Milliseconds. */
export function ticksOf(duration: number): number[] {
  const step = tickSteps.find((each) => duration / each <= 8) ?? Math.ceil(duration / 8 / 3_600_000) * 3_600_000;
  const ticks: number[] = [];
  for (let at = 0; at <= duration * 0.97; at += step) ticks.push(at);
  return ticks;
}

const tickSteps = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600,
].map((seconds) => seconds * 1_000);
