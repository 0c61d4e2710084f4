import { escapeControls } from '../escape.ts';
import { formatSize } from '../../oci/index.ts';
import type { StepEvent, StepState } from './steps.ts';

export interface StepWordsOptions {
  readonly now: () => number;
  readonly explain: boolean | undefined;
  /** What is done to each line of a step's output. */
  readonly clean: (line: string) => string;
}

/** Between two lines about the same transfer. Milliseconds. */
const progressInterval = 1000;

/** What a step says in lines, event by event: its output with times, transfers now and then, why it is not cached. */
export class StepWords {
  readonly #options: StepWordsOptions;
  readonly #shown = new Map<string, number>();

  constructor(options: StepWordsOptions) {
    this.#options = options;
  }

  /** The lines that an event adds, without the step's outcome. */
  of(event: StepEvent, step: StepState): string[] {
    switch (event.type) {
      case 'step-start':
        return [];
      case 'step-explained':
        return this.#options.explain === true ? reasonLines(step) : [];
      case 'step-log':
        return this.#stamped(step, step.addOutput(event.stream, event.data));
      case 'step-progress':
        return this.#progressLines(event, step);
      case 'step-done':
      case 'step-error':
      case 'step-cancelled':
        return this.#stamped(step, step.flushOutput());
    }
  }

  #stamped(step: StepState, lines: readonly string[]): string[] {
    const time = stamp((this.#options.now() - step.started) / 1000);
    return lines.map((line) => `${time} ${this.#options.clean(line)}`);
  }

  #progressLines(event: Extract<StepEvent, { type: 'step-progress' }>, step: StepState): string[] {
    const key = `${step.id} ${event.label}`;
    const now = this.#options.now();
    const complete = event.total !== undefined && event.current >= event.total;
    if (!complete && now - (this.#shown.get(key) ?? 0) < progressInterval) return [];
    this.#shown.set(key, now);
    const total = event.total === undefined ? '' : ` / ${formatSize(event.total)}`;
    return [`${escapeControls(event.label)} ${formatSize(event.current)}${total}${complete ? ' done' : ''}`];
  }
}

/** Why a step is not cached, a line for each part of its key that differs. */
export function reasonLines(step: StepState): string[] {
  return step.reasons.map(({ text }) => `why: ${escapeControls(text)}`);
}

/** Seconds since a step began, as BuildKit writes them before its output: 0.123, 12.34, 123.4. */
function stamp(seconds: number): string {
  const digits = seconds < 10 ? 3 : seconds < 100 ? 2 : 1;
  return Math.max(0, seconds).toFixed(digits);
}
