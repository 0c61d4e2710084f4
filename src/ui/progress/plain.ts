import type { BuildEvent } from '../../build/index.ts';
import { escapeControls, keepColours } from '../escape.ts';
import { Floor } from './floor.ts';
import { LineWriter } from './line-writer.ts';
import { noteLines } from './note.ts';
import { StepWords } from './step-words.ts';
import { failureReport, type StepState, Steps } from './steps.ts';
import { summaryOf } from './summary.ts';
import { summaryLines } from './summary-lines.ts';
import type { ProgressOptions, ProgressRenderer, ProgressStream } from './types.ts';

/**
 * Progress as lines, in the form of BuildKit's `--progress=plain`: `#5 [build 2/5] RUN npm ci`, `#5 0.123 output`,
 * `#5 DONE 1.2s`. Steps that run at once are kept apart. No line is clipped.
 */
export class PlainProgress implements ProgressRenderer {
  readonly #out: LineWriter;
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #steps = new Steps();
  readonly #words: StepWords;
  readonly #floor: Floor;
  readonly #clean: (line: string) => string;
  #first = true;

  constructor(stream: ProgressStream, options: ProgressOptions = {}) {
    this.#options = options;
    this.#out = new LineWriter(stream);
    this.#now = options.now ?? Date.now;
    // A terminal gets no control sequences but colours; a file or pipe gets the bytes as they are.
    this.#clean = stream.isTTY === true ? keepColours : (line) => line;
    this.#words = new StepWords({ now: this.#now, explain: options.explain, clean: this.#clean });
    this.#floor = new Floor(
      {
        open: (step) => this.#open(step),
        line: (step, line) => this.#out.line(`#${step.number} ${line}`),
        pause: (step) => this.#out.line(`#${step.number} ...`),
        close: () => {},
      },
      { now: this.#now, patience: 3000 },
    );
  }

  event(event: BuildEvent): void {
    if (event.type === 'note') {
      this.#out.lines(noteLines(event, 'WARNING:'));
      return;
    }
    const step = this.#steps.apply(event);
    if (step === undefined || event.type === 'plan') return;
    const lines = this.#words.of(event, step);
    if (step.ended !== undefined) lines.push(outcomeLine(step));
    if (lines.length > 0 || this.#floor.free) this.#floor.say(step, lines);
    if (step.ended !== undefined) this.#floor.ended(step);
  }

  end(error?: unknown): void {
    this.resume();
    this.#floor.end();
    for (const step of this.#steps.failed) this.#out.lines(failureReport(step).map(this.#clean));
    if (error !== undefined) return;
    const summary = summaryOf(this.#steps, this.#now());
    this.#out.lines(summaryLines(summary, this.#options.summary));
  }

  suspend(): void {
    this.#out.hold();
  }

  resume(): void {
    this.#out.release();
  }

  #open(step: StepState): void {
    if (!this.#first) this.#out.line('');
    this.#first = false;
    this.#out.line(`#${step.number} ${escapeControls(step.title)}`);
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
      return `DONE ${(step.elapsed(0) / 1000).toFixed(1)}s`;
  }
}
