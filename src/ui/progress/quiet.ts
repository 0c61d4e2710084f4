import type { BuildEvent } from '../../build/index.ts';
import { keepColours } from '../escape.ts';
import { noteLines } from './note.ts';
import { failureReport, Steps } from './steps.ts';
import type { ProgressRenderer, ProgressStream } from './types.ts';

/** Nothing but warnings and, where a step fails, the end of its output; what checks find is for builds that are watched. */
export class QuietProgress implements ProgressRenderer {
  readonly #stream: ProgressStream;
  readonly #steps = new Steps();

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  event(event: BuildEvent): void {
    if (event.type === 'note') {
      if (event.level === 'info' || event.findings !== undefined) return;
      for (const line of noteLines(event, 'WARNING:')) this.#stream.write(`${line}\n`);
      return;
    }
    const step = this.#steps.apply(event);
    if (event.type === 'step-log') step?.addOutput(event.stream, event.data);
    if (event.type === 'step-error') step?.flushOutput();
  }

  end(): void {
    for (const step of this.#steps.all) {
      if (step.outcome === 'error')
        for (const line of failureReport(step)) this.#stream.write(`${keepColours(line)}\n`);
    }
  }
}

/** Every event as one line of JSON, for programs. */
export class JsonProgress implements ProgressRenderer {
  readonly #stream: ProgressStream;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  event(event: BuildEvent): void {
    this.#stream.write(`${JSON.stringify(event)}\n`);
  }

  end(): void {}
}
