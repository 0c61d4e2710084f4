import { escapeControls, stripControls } from '../escape.ts';
import { formatSize } from '../../oci/index.ts';
import { formatElapsed } from '../time.ts';
import { clip, displayWidth, fit } from '../width.ts';
import { bar } from './bar.ts';
import type { Palette } from './colours.ts';
import { reasonLines } from './step-words.ts';
import type { StepProgress, StepState, Steps } from './steps.ts';

/** What a frame is drawn for. */
export interface FrameOptions {
  readonly width: number;
  readonly height: number;
  readonly now: number;
  readonly began: number;
  readonly palette: Palette;
  /** Most lines of output under one step. */
  readonly tailLines: number;
  readonly explain: boolean;
}

const barWidth = 24;
/** A step that wrote within this time is worth more than one that is silent. Milliseconds. */
const recently = 10_000;
/** Below a line of this many columns its time is more than one wants to give. */
const narrow = 30;

/** The block of a build that runs: a line of counts, then the steps that run, each with what it does at the moment. */
export function frameOf(steps: Steps, options: FrameOptions): string[] {
  const running = steps.all.filter(({ ended }) => ended === undefined);
  const shown = mostInteresting(running, options.height - 1, options.now);
  const hidden = running.length - shown.length;
  const more = hidden === 0 ? [] : [options.palette.dim(` => and ${hidden} more that run`)];
  const room = options.height - 1 - more.length - shown.length;
  const details = shareRoom(
    shown.map((step) => detailsOf(step, options)),
    room,
  );
  const lines = shown.flatMap((step, index) => [stepLine(step, options), ...(details[index] ?? [])]);
  return [headLine(steps, options), ...lines, ...more];
}

/** `[+] Building 12.3s (5/9), 3 cached, 2 running` */
export function headLine(steps: Steps, { now, began, palette }: FrameOptions): string {
  const running = steps.count('running');
  const [cached, failed] = [steps.count('cached'), steps.count('error')];
  const counts = [
    ...(cached > 0 ? [`${cached} cached`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(running > 0 ? [`${running} running`] : []),
  ];
  const done = `(${steps.all.length - running}/${steps.total})`;
  const head = `[+] Building ${formatElapsed(now - began)} ${done}`;
  return palette.bold([head, ...counts].join(', '));
}

/** One step as one line of exactly the width, its time at the right. */
export function stepLine(step: StepState, options: FrameOptions): string {
  const mark = {
    running: '',
    done: '',
    cached: 'CACHED ',
    skipped: 'SKIPPED ',
    cancelled: 'CANCELED ',
    error: 'ERROR ',
  }[step.outcome];
  const line = timedLine(` => ${mark}${escapeControls(step.title)}`, step.elapsed(options.now), options.width);
  switch (step.outcome) {
    case 'running':
      return line;
    case 'error':
      return options.palette.role('error', line);
    case 'cancelled':
      return options.palette.role('cancel', line);
    case 'done':
    case 'cached':
    case 'skipped':
      return options.palette.role('run', line);
  }
}

/** Several cache hits in a row as one line. */
export function cachedLine(hits: readonly StepState[], options: FrameOptions): string {
  const [last] = hits.slice(-1);
  if (last === undefined) return '';
  if (hits.length === 1) return stepLine(last, options);
  const saved = hits.reduce((sum, step) => sum + (step.saved ?? 0), 0);
  const spared = saved < 1000 ? '' : `, ${formatElapsed(saved)} saved`;
  const text = ` => CACHED ${hits.length} steps${spared}, the last ${escapeControls(last.title)}`;
  const span = Math.max(...hits.map(({ ended = 0 }) => ended)) - Math.min(...hits.map(({ started }) => started));
  return options.palette.role('run', timedLine(text, span, options.width));
}

export function explainLines(step: StepState, { palette }: Pick<FrameOptions, 'palette'>): string[] {
  return reasonLines(step).map((line) => palette.dim(` => => ${line}`));
}

function timedLine(text: string, elapsed: number, width: number): string {
  if (width < narrow) return clip(text, width);
  const time = formatElapsed(elapsed);
  return `${fit(text, width - displayWidth(time) - 1)} ${time}`;
}

/** Where there are more than rows: those that speak, then those that run longest; in the order in which they began. */
function mostInteresting(running: readonly StepState[], rows: number, now: number): readonly StepState[] {
  if (running.length <= rows) return running;
  const isSilent = (step: StepState): number => (now - step.spoke > recently ? 1 : 0);
  const best = new Set([...running].sort((a, b) => isSilent(a) - isSilent(b)).slice(0, Math.max(1, rows - 1)));
  return running.filter((step) => best.has(step));
}

/** Gives rows out one by one, round and round; of each list the last lines are kept. */
function shareRoom(lists: readonly (readonly string[])[], rows: number): string[][] {
  const given = lists.map(() => 0);
  for (let left = rows, gave = true; left > 0 && gave; ) {
    gave = false;
    for (const [index, list] of lists.entries()) {
      const got = given[index] ?? 0;
      if (left <= 0 || got >= list.length) continue;
      given[index] = got + 1;
      left -= 1;
      gave = true;
    }
  }
  return lists.map((list, index) => list.slice(list.length - (given[index] ?? 0)));
}

function detailsOf(step: StepState, options: FrameOptions): string[] {
  const { palette, tailLines, explain } = options;
  const transfers = [...step.progress.values()].filter(({ current, total }) => total === undefined || current < total);
  const tail = tailLines === 0 ? [] : step.lastWords.slice(-tailLines);
  return [
    ...(explain ? explainLines(step, options) : []),
    ...tail.map((line) => palette.dim(` => => # ${stripControls(line)}`)),
    ...transfers.map((transfer) => palette.dim(` => => ${transferText(transfer, options.width)}`)),
  ];
}

function transferText({ label, current, total }: StepProgress, width: number): string {
  const name = escapeControls(label);
  if (total === undefined) return `${name} ${formatSize(current)}`;
  const share = total === 0 ? 1 : current / total;
  const drawn = width < 2 * barWidth + narrow ? '' : `${bar(share, barWidth)} `;
  return `${name} ${drawn}${formatSize(current)} / ${formatSize(total)}`;
}
