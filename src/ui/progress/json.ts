import type { BuildEvent } from '../../build/index.ts';
import { LineWriter } from './line-writer.ts';
import { Steps } from './steps.ts';
import { summaryOf } from './summary.ts';
import type { ProgressOptions, ProgressRenderer, ProgressStream } from './types.ts';

/** Grows when a field changes its meaning or goes; new fields and types of events may come without. */
const version = 1;

/**
 * Every event as one line of JSON, for programs: docs/progress.md says what is in them. Each has `v` and `time`; the last
 * line is the summary.
 */
export class JsonProgress implements ProgressRenderer {
  readonly #out: LineWriter;
  readonly #now: () => number;
  readonly #steps = new Steps();

  constructor(stream: ProgressStream, options: ProgressOptions = {}) {
    this.#out = new LineWriter(stream);
    this.#now = options.now ?? Date.now;
  }

  event(event: BuildEvent): void {
    if (event.type !== 'note') this.#steps.apply(event);
    this.#write(event);
  }

  end(error?: unknown): void {
    this.resume();
    const { worked: _, ...summary } = summaryOf(this.#steps, this.#now());
    this.#write({ type: 'summary', outcome: error === undefined ? 'done' : 'failed', ...summary });
  }

  suspend(): void {
    this.#out.hold();
  }

  resume(): void {
    this.#out.release();
  }

  #write(event: object): void {
    this.#out.line(JSON.stringify({ v: version, time: this.#now(), ...event }));
  }
}
