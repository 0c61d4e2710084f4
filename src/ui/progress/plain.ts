import type { BuildEvent } from '../../build/index.ts';
import { escapeControls, keepColours } from '../escape.ts';
import { formatSize } from '../size.ts';
import { noteLines } from './note.ts';
import { failureReport, type StepState, Steps } from './steps.ts';
import type { ProgressOptions, ProgressRenderer, ProgressStream } from './types.ts';

/** A step that says nothing for so long gives the floor to one that does. Milliseconds. */
const patience = 3000;
/** Between two lines about the same transfer. Milliseconds. */
const progressInterval = 1000;

/**
 * Progress as lines, in the form of BuildKit's `--progress=plain`: `#5 [build 2/5] RUN npm ci`, `#5 0.123 output`,
 * `#5 DONE 1.2s`. Steps that run at once are kept apart: one has the floor, the lines of the others wait until it ends or
 * falls silent. No line is clipped.
 */
export class PlainProgress implements ProgressRenderer {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #steps = new Steps();
  /** Lines that wait, by step, in the order in which the steps first spoke. */
  readonly #waiting = new Map<StepState, string[]>();
  readonly #shown = new Map<string, number>();
  #floor: StepState | undefined;
  #lastWords = 0;
  #first = true;

  constructor(stream: ProgressStream, options: ProgressOptions = {}) {
    this.#stream = stream;
    this.#now = options.now ?? Date.now;
  }

  event(event: BuildEvent): void {
    if (event.type === 'note') {
      for (const line of noteLines(event, 'WARNING:')) this.#write(line);
      return;
    }
    const step = this.#steps.apply(event);
    if (step === undefined) return;
    const lines = this.#linesOf(event, step);
    if (lines.length > 0 || this.#floor === undefined) this.#say(step, lines);
    if (step.ended !== undefined && this.#floor === step) this.#passFloor();
  }

  end(): void {
    this.#floor = undefined;
    for (const step of this.#waiting.keys()) this.#take(step);
    for (const step of this.#steps.all) {
      if (step.outcome === 'error') for (const line of failureReport(step)) this.#write(this.#clean(line));
    }
  }

  #linesOf(event: Exclude<BuildEvent, { type: 'note' }>, step: StepState): string[] {
    switch (event.type) {
      case 'plan':
      case 'step-start':
      case 'step-explained':
        return [];
      case 'step-log':
        return this.#stamped(step, step.addOutput(event.stream, event.data));
      case 'step-progress':
        return this.#progressLines(event, step);
      case 'step-done':
      case 'step-error':
      case 'step-cancelled':
        return [...this.#stamped(step, step.flushOutput()), outcomeLine(step)];
    }
  }

  #stamped(step: StepState, lines: readonly string[]): string[] {
    const seconds = Math.max(0, (this.#now() - step.started) / 1000)
      .toPrecision(4)
      .slice(0, 5)
      .replace(/\.$/, '');
    return lines.map((line) => `${seconds} ${this.#clean(line)}`);
  }

  #progressLines(event: Extract<BuildEvent, { type: 'step-progress' }>, step: StepState): string[] {
    const key = `${step.id} ${event.label}`;
    const now = this.#now();
    const complete = event.total !== undefined && event.current >= event.total;
    if (!complete && now - (this.#shown.get(key) ?? 0) < progressInterval) return [];
    this.#shown.set(key, now);
    const total = event.total === undefined ? '' : ` / ${formatSize(event.total)}`;
    return [`${escapeControls(event.label)} ${formatSize(event.current)}${total}${complete ? ' done' : ''}`];
  }

  #say(step: StepState, lines: readonly string[]): void {
    const now = this.#now();
    if (this.#floor !== undefined && this.#floor !== step && now - this.#lastWords < patience) {
      this.#waiting.set(step, [...(this.#waiting.get(step) ?? []), ...lines]);
      return;
    }
    this.#open(step);
    for (const line of [...(this.#waiting.get(step) ?? []), ...lines]) this.#write(`#${step.number} ${line}`);
    this.#waiting.delete(step);
    this.#lastWords = now;
  }

  /** Gives the floor to a step: its head, after a word that the one before it goes on. */
  #open(step: StepState): void {
    if (this.#floor === step) return;
    if (this.#floor !== undefined) this.#write(`#${this.#floor.number} ...`);
    if (!this.#first) this.#write('');
    this.#first = false;
    this.#write(`#${step.number} ${escapeControls(step.title)}`);
    this.#floor = step;
  }

  /** After a step's end: those that ended meanwhile are told in full, then one that runs gets the floor. */
  #passFloor(): void {
    this.#floor = undefined;
    for (const step of this.#waiting.keys()) if (step.ended !== undefined) this.#take(step);
    const [next] = this.#waiting.keys();
    if (next !== undefined) this.#say(next, []);
  }

  #take(step: StepState): void {
    this.#say(step, []);
    this.#floor = undefined;
  }

  /** A terminal gets no control sequences but colours; a file or pipe gets the bytes as they are. */
  #clean(line: string): string {
    return this.#stream.isTTY === true ? keepColours(line) : line;
  }

  #write(line: string): void {
    this.#stream.write(`${line}\n`);
  }
}

function outcomeLine(step: StepState): string {
  switch (step.outcome) {
    case 'cached':
      return 'CACHED';
    case 'skipped':
      return 'SKIPPED';
    case 'cancelled':
      return 'CANCELED';
    case 'error':
      return `ERROR: ${escapeControls(step.error ?? '')}`;
    case 'running':
    case 'done':
      return `DONE ${(Math.max(0, (step.ended ?? step.started) - step.started) / 1000).toFixed(1)}s`;
  }
}
