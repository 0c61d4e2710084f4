import { escapeControls } from '../escape.ts';
import { formatSize } from '../../oci/index.ts';
import { formatElapsed } from '../time.ts';
import type { BuildSummary, StepSummary } from './summary.ts';

/** A build under this is told of only when asked: its progress is on the screen still. Milliseconds. */
const worthTelling = 1000;
/** How many of the slowest and of the largest steps are named. */
const named = 5;

/**
 * The summary as lines for people; none where it says nothing new: the build was quick, or all of it came from the cache, which
 * takes one line. `wanted` decides instead.
 */
export function summaryLines(summary: BuildSummary, wanted?: boolean): string[] {
  if (wanted === false || (wanted === undefined && summary.duration < worthTelling)) return [];
  const head = summaryHead(summary);
  if (wanted === undefined && !summary.worked) return ['', head];
  const steps = notableSteps(summary);
  const rows = steps.map((step) => [timeOf(step), step.size === undefined ? '' : formatSize(step.size), step.title]);
  return ['', head, ...tableLines([['TIME', 'SIZE', 'STEP'], ...rows])];
}

/** `9 steps in 42.1s: 5 done, 4 cached (1m12s saved), layers of 210MB`. */
export function summaryHead({ duration, counts, saved, size, steps }: BuildSummary): string {
  const parts = (['done', 'cached', 'skipped', 'cancelled'] as const)
    .filter((outcome) => counts[outcome] > 0)
    .map((outcome) => `${counts[outcome]} ${outcome}${outcome === 'cached' && saved > 0 ? savedText(saved) : ''}`);
  if (counts.error > 0) parts.push(`${counts.error} failed`);
  if (size > 0) parts.push(`layers of ${formatSize(size)}`);
  const count = steps.length === 1 ? '1 step' : `${steps.length} steps`;
  return `${count} in ${formatElapsed(duration)}: ${parts.join(', ')}`;
}

/** The slowest and the largest, slowest first; cached ones for their size only. */
function notableSteps({ steps }: BuildSummary): StepSummary[] {
  const slow = steps.filter(({ outcome, duration }) => outcome !== 'cached' && duration >= 50).slice(0, named);
  const large = [...steps]
    .filter(({ size }) => (size ?? 0) > 0)
    .sort((a, b) => (b.size ?? 0) - (a.size ?? 0))
    .slice(0, named);
  const chosen = new Set([...slow, ...large]);
  return steps
    .filter((step) => chosen.has(step) && step.outcome !== 'cached')
    .concat(large.filter(({ outcome }) => outcome === 'cached'));
}

function timeOf({ outcome, duration }: StepSummary): string {
  return outcome === 'cached' ? 'cached' : formatElapsed(duration);
}

function savedText(saved: number): string {
  return ` (${formatElapsed(saved)} saved)`;
}

function tableLines(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const [time, size] = [width(0), width(1)];
  return rows.map(
    ([first = '', second = '', title = '']) =>
      `  ${first.padStart(time)}  ${second.padStart(size)}  ${escapeControls(title)}`,
  );
}
