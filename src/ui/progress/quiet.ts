import type { BuildEvent } from '../../build/index.ts';
import { keepColours } from '../escape.ts';
import { LineWriter } from './line-writer.ts';
import { noteLines } from './note.ts';
import { failureReport, Steps } from './steps.ts';
import type { ProgressRenderer, ProgressStream } from './types.ts';

/** Nothing but warnings and, where a step fails, the end of its output; what checks find is for builds that are watched. */
export class QuietProgress implements ProgressRenderer {
  readonly #out: LineWriter;
  readonly #steps = new Steps();

  constructor(stream: ProgressStream) {
    this.#out = new LineWriter(stream);
  }

  event(event: BuildEvent): void {
    if (event.type === 'note') {
      if (event.level === 'info' || event.findings !== undefined) return;
      this.#out.lines(noteLines(event, 'WARNING:'));
      return;
    }
    const step = this.#steps.apply(event);
    if (event.type === 'step-log') step?.addOutput(event.stream, event.data);
    if (event.type === 'step-error') step?.flushOutput();
  }

  end(): void {
    this.resume();
    for (const step of this.#steps.failed) this.#out.lines(failureReport(step).map(keepColours));
  }

  suspend(): void {
    this.#out.hold();
  }

  resume(): void {
    this.#out.release();
  }
}
