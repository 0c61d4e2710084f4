import { formatElapsed } from '../time.ts';
import { number, text } from './html.ts';
import { type Lane, lanesOf, ticksOf } from './lanes.ts';
import type { Timeline, TimelineStep } from './timeline.ts';

const rowHeight = 30;
const barHeight = 24;
/** Bars under this share of the width (percent) have no room for words. */
const wordy = 3;
/** Bars under this share are drawn a few pixels wide, so that they can be seen. */
const visible = 0.4;

/**
 * The chart: the critical path on top, then a lane for each stage. Places are SVG attributes in percent, so that no inline style
 * is needed (the page's policy forbids it) and the browser scales the chart by itself.
 */
export function chart(timeline: Timeline, legend: string): string {
  const { duration, steps, critical } = timeline;
  const onPath = critical.flatMap((id) => steps.find((step) => step.id === id) ?? []);
  const lanes = lanesOf(steps).map((lane) => laneRow(lane, timeline));
  const path =
    onPath.length === 0 ? '' : laneHtml('Critical path', 'path', svg([onPath], timeline, { focusable: false }));
  return `<section class="chart" aria-label="Timeline">${axis(duration)}${path}${lanes.join('')}${legend}</section>`;
}

/** The name of a stage for people; unnamed ones are numbered. */
export function stageName(stage: string | undefined): string {
  if (stage === undefined) return 'around the steps';
  return /^\d+$/.test(stage) ? `stage ${stage}` : stage;
}

function laneRow(lane: Lane, timeline: Timeline): string {
  return laneHtml(stageName(lane.stage), '', svg(lane.rows, timeline, { focusable: true }));
}

function laneHtml(name: string, className: string, content: string): string {
  return `<div class="lane ${className}"><div class="name">${text(name)}</div>${content}</div>`;
}

function axis(duration: number): string {
  const labels = ticksOf(duration).map(
    (at) => `<text x="${percent(at, duration)}" dx="3" y="14">${at === 0 ? '0' : text(shortTime(at))}</text>`,
  );
  const content = `<svg class="axis" width="100%" height="20" aria-hidden="true">${labels.join('')}</svg>`;
  return laneHtml('', 'scale', content);
}

/** Ticks are round: `2s`, `500ms`, `1m30s`. */
function shortTime(milliseconds: number): string {
  if (milliseconds < 1_000) return `${milliseconds}ms`;
  if (milliseconds < 60_000) return `${milliseconds / 1_000}s`;
  const rest = (milliseconds % 60_000) / 1_000;
  return `${Math.floor(milliseconds / 60_000)}m${rest === 0 ? '' : `${rest}s`}`;
}

interface BarOptions {
  readonly focusable: boolean;
}

function svg(rows: readonly (readonly TimelineStep[])[], timeline: Timeline, options: BarOptions): string {
  const height = rows.length * rowHeight;
  const grid = ticksOf(timeline.duration).map((at) => {
    const x = percent(at, timeline.duration);
    return `<line x1="${x}" x2="${x}" y1="0" y2="${height}"/>`;
  });
  const bars = rows.flatMap((row, index) => row.map((step) => bar(step, index * rowHeight, timeline, options)));
  const role = options.focusable ? 'role="group"' : 'aria-hidden="true"';
  return `<svg class="bars" width="100%" height="${height}" ${role}><g class="grid">${grid.join('')}</g>${bars.join('')}</svg>`;
}

function bar(step: TimelineStep, top: number, { duration, steps, critical }: Timeline, options: BarOptions): string {
  const share = duration === 0 ? 0 : ((step.end - step.start) / duration) * 100;
  const [x, width] = [percent(step.start, duration), share < visible ? '4' : percent(step.end - step.start, duration)];
  const y = top + (rowHeight - barHeight) / 2;
  const classes = ['bar', step.kind, step.outcome, ...(critical.includes(step.id) ? ['critical'] : [])].join(' ');
  const index = steps.indexOf(step);
  const name = `${step.title}, ${outcomeWord(step)}, ${formatElapsed(step.end - step.start)}`;
  const about = options.focusable
    ? `tabindex="${index === 0 ? 0 : -1}" role="button" aria-controls="details" aria-label="${text(name)}"`
    : '';
  const words =
    share < wordy
      ? ''
      : `<svg x="${x}" y="${y}" width="${width}" height="${barHeight}"><text x="8" y="16">${text(step.title)}</text></svg>`;
  return `<g class="${classes}" data-step="${index}" ${about}><rect x="${x}" y="${y}" width="${width}" height="${barHeight}" rx="3"/>${words}</g>`;
}

/** What became of a step, in a word. */
export function outcomeWord({ outcome }: TimelineStep): string {
  return outcome === 'error' ? 'failed' : outcome;
}

function percent(value: number, duration: number): string {
  return `${number(duration === 0 ? 0 : (Math.max(0, value) / duration) * 100)}%`;
}
