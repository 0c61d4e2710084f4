import type { Bar, Comparison, Job, Measurement, Run } from '../measure/index.ts';
import type { MachineFacts } from './facts.ts';

/** What a run of one job in one place gave; `--json` prints it, `--save` keeps those of one job in a file. See docs/performance.md. */
export interface JobResult {
  readonly job: string;
  readonly title: string;
  /** The file system that was written to. */
  readonly place: string;
  /** When it began, as in ISO 8601. */
  readonly taken: string;
  readonly machine: MachineFacts;
  readonly load: readonly [before: number, after: number];
  readonly subject: string;
  readonly measurements: readonly Measurement[];
  readonly bars: readonly Bar[];
}

export interface SavedResults {
  readonly schema: 1;
  readonly results: readonly JobResult[];
}

export interface ResultContext {
  readonly job: Job;
  readonly place: string;
  readonly taken: Date;
  readonly machine: MachineFacts;
}

export function jobResult({ contenders, subject, bars = [] }: Comparison, run: Run, context: ResultContext): JobResult {
  const ours = contenders.find(({ role }) => role === 'ours') ?? contenders[0];
  return {
    job: context.job.name,
    title: context.job.title,
    place: context.place,
    taken: context.taken.toISOString(),
    machine: context.machine,
    load: run.load,
    subject: subject ?? ours?.name ?? '',
    measurements: run.measurements,
    bars,
  };
}

/** JSON knows no NaN: what could not be measured is null there. */
export function printResults(results: readonly JobResult[]): string {
  const saved: SavedResults = { schema: 1, results };
  return `${JSON.stringify(saved, (_, value: unknown) => (typeof value === 'number' ? rounded(value) : value), 1)}\n`;
}

/**
 * Reads what {@link printResults} printed.
 * @throws Error when it is of another schema
 */
export function parseResults(text: string): readonly JobResult[] {
  const saved = JSON.parse(text, (key, value: unknown) =>
    value === null && figures.has(key) ? Number.NaN : value,
  ) as SavedResults;
  if (saved.schema !== 1 || !Array.isArray(saved.results)) throw new Error('these are not results of this schema');
  return saved.results;
}

const figures: ReadonlySet<string> = new Set(['wall', 'cpu', 'memory', 'treeMemory']);

/** Microseconds and bytes are fine enough. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
