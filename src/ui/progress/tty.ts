import type { BuildEvent } from '../../build/index.ts';
import { type Palette, paletteFor } from './colours.ts';
import { cachedLine, explainLines, frameOf, type FrameOptions, headLine, stepLine } from './frame.ts';
import { LiveBlock } from './live-block.ts';
import { noteLines } from './note.ts';
import { failureReport, type StepState, Steps } from './steps.ts';
import { summaryOf } from './summary.ts';
import { summaryLines } from './summary-lines.ts';
import type { ProgressOptions, ProgressRenderer, ProgressStream } from './types.ts';

/** Milliseconds between two drawings. */
const interval = 100;
/** Lines of output under a running step, unless TTY_LOG_LINES says otherwise. */
const defaultTail = 6;

/**
 * Progress on a terminal: steps that ended stay as lines, those that run are drawn under them with elapsed times, transfers and
 * the end of their output.
 */
export class TtyProgress implements ProgressRenderer {
  readonly #block: LiveBlock;
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #palette: Palette;
  readonly #tailLines: number;
  readonly #steps = new Steps();
  readonly #began: number;
  #timer: NodeJS.Timeout | undefined;
  #suspended = false;
  /** Lines that stay, not yet written. */
  #above: string[] = [];
  /** Cache hits in a row, not yet written. */
  #hits: StepState[] = [];

  constructor(stream: ProgressStream, options: ProgressOptions = {}) {
    const env = options.env ?? process.env;
    this.#block = new LiveBlock(stream, () => this.#draw());
    this.#options = options;
    this.#palette = paletteFor(stream, env);
    this.#tailLines = tailLinesOf(env['TTY_LOG_LINES']);
    this.#now = options.now ?? Date.now;
    this.#began = this.#now();
  }

  event(event: BuildEvent): void {
    if (event.type === 'note') this.#stay(noteLines(event, this.#palette.role('warning', 'WARNING:')));
    else {
      const step = this.#steps.apply(event);
      if (step !== undefined) this.#about(event, step);
    }
    this.#timer ??= setInterval(() => this.#draw(), interval).unref();
  }

  end(error?: unknown): void {
    clearInterval(this.#timer);
    this.#suspended = false;
    const frame = this.#frame();
    this.#stay([`${headLine(this.#steps, frame)}${error === undefined ? ' FINISHED' : ''}`]);
    for (const step of this.#steps.failed) this.#stay(failureReport(step).map((line) => this.#palette.output(line)));
    if (error === undefined) this.#stay(summaryLines(summaryOf(this.#steps, frame.now), this.#options.summary));
    this.#block.draw(this.#above, []);
    this.#block.close();
  }

  suspend(): void {
    if (this.#suspended) return;
    this.#draw();
    this.#block.close();
    this.#suspended = true;
  }

  resume(): void {
    this.#suspended = false;
  }

  #about(event: BuildEvent, step: StepState): void {
    if (event.type === 'step-log') {
      step.spoke = this.#now();
      step.addOutput(event.stream, event.data);
    }
    if (event.type === 'step-progress') step.spoke = this.#now();
    if (step.ended === undefined) return;
    step.flushOutput();
    if (step.outcome === 'cached') {
      this.#hits.push(step);
      return;
    }
    const frame = this.#frame();
    const reasons = this.#options.explain === true ? explainLines(step, frame) : [];
    this.#stay([stepLine(step, frame), ...reasons]);
  }

  /** Lines to leave above the block, after the cache hits that came before them. */
  #stay(lines: readonly string[]): void {
    if (lines.length === 0) return;
    if (this.#hits.length > 0) this.#above.push(cachedLine(this.#hits, this.#frame()));
    this.#hits = [];
    this.#above.push(...lines);
  }

  #draw(): void {
    if (this.#suspended) return;
    const above = this.#above;
    this.#above = [];
    const frame = this.#frame();
    const hits = this.#hits.length === 0 ? [] : [cachedLine(this.#hits, frame)];
    const height = frame.height - hits.length;
    this.#block.draw(above, [...hits, ...frameOf(this.#steps, { ...frame, height })]);
  }

  #frame(): FrameOptions {
    return {
      width: this.#block.width,
      height: this.#block.height,
      now: this.#now(),
      began: this.#began,
      palette: this.#palette,
      tailLines: this.#tailLines,
      explain: this.#options.explain === true,
    };
  }
}

function tailLinesOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) : defaultTail;
}
