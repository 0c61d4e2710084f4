import { Writable } from 'node:stream';
import type { BuildEvent, PlannedStep } from '../../../src/build/index.ts';
import { type ProgressKind, type ProgressOptions, type ProgressStream, progressFor } from '../../../src/ui/index.ts';

export type Timed = readonly [time: number, event: BuildEvent];

/** Collects what is written; `terminal` gives it a size. */
export class Screen extends Writable {
  text = '';
  readonly isTTY: boolean;
  columns = 60;
  rows = 12;

  constructor(terminal: 'terminal' | 'pipe') {
    super();
    this.isTTY = terminal === 'terminal';
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

export interface PlayOptions extends Omit<ProgressOptions, 'now'> {
  readonly on?: 'terminal' | 'pipe';
  readonly error?: unknown;
}

/** Plays events at their times (milliseconds) and returns what was written; without a summary unless it is asked for. */
export function play(kind: ProgressKind, events: readonly Timed[], options: PlayOptions = {}): string {
  const { on = 'pipe', error, ...rest } = options;
  const screen = new Screen(on);
  let time = 0;
  const settings = { summary: false, env: {}, ...rest, now: () => time };
  const progress = progressFor(kind, screen as ProgressStream, settings);
  for (const [at, event] of events) {
    time = at;
    progress.event(event);
  }
  progress.end(error);
  return screen.text;
}

export const start = (id: string, title: string, time = 0): Timed => [time, { type: 'step-start', id, title, time }];

export const log = (id: string, time: number, data: string): Timed => [
  time,
  { type: 'step-log', id, stream: 'stdout', data },
];

export const done = (id: string, time: number, more: { size?: number } = {}): Timed => [
  time,
  { type: 'step-done', id, cached: false, time, ...more },
];

export const cached = (id: string, time: number, more: { size?: number; saved?: number } = {}): Timed => [
  time,
  { type: 'step-done', id, cached: true, time, ...more },
];

export const failed = (id: string, time: number, message: string): Timed => [
  time,
  { type: 'step-error', id, message, time },
];

export const cancelled = (id: string, time: number): Timed => [time, { type: 'step-cancelled', id, time }];

export const explained = (id: string, time: number, ...texts: readonly string[]): Timed => [
  time,
  { type: 'step-explained', id, reasons: texts.map((text) => ({ part: 'source', text })) },
];

export const warning = (time: number, message: string): Timed => [time, { type: 'note', level: 'warning', message }];

export const plan = (...steps: readonly (Partial<PlannedStep> & { readonly id: string })[]): Timed => [
  0,
  {
    type: 'plan',
    dockerfile: 'Dockerfile',
    time: 0,
    steps: steps.map((step) => ({ title: step.id, kind: 'run', stage: '0', needs: [], ...step })),
  },
];
