import type { BuildEvent } from '../../build/index.ts';
import { paint } from '../colour.ts';
import { escapeControls, keepColours, stripControls } from '../escape.ts';
import { formatSize } from '../size.ts';
import { formatElapsed } from '../time.ts';
import { LiveBlock } from './live-block.ts';
import { noteLines } from './note.ts';
import { failureReport, type StepProgress, type StepState, Steps } from './steps.ts';
import type { ProgressOptions, ProgressRenderer, ProgressStream } from './types.ts';

/** Lines of output shown under a running step. */
const tailLines = 6;
/** Milliseconds between two drawings. */
const interval = 100;

/**
 * Progress on a terminal: steps that ended stay as lines, those that run are drawn under them with elapsed times, transfers and
 * the end of their output.
 */
export class TtyProgress implements ProgressRenderer {
  readonly #stream: ProgressStream;
  readonly #block: LiveBlock;
  readonly #now: () => number;
  readonly #steps = new Steps();
  readonly #started: number;
  #timer: NodeJS.Timeout | undefined;
  #above: string[] = [];

  constructor(stream: ProgressStream, options: ProgressOptions = {}) {
    this.#stream = stream;
    this.#block = new LiveBlock(stream);
    this.#now = options.now ?? Date.now;
    this.#started = this.#now();
  }

  event(event: BuildEvent): void {
    if (event.type === 'note') {
      this.#above.push(...noteLines(event, this.#paint('yellow', 'WARNING:')));
    } else {
      const step = this.#steps.apply(event);
      if (step === undefined) return;
      if (event.type === 'step-log') step.addOutput(event.stream, event.data);
      if (step.ended !== undefined) {
        step.flushOutput();
        this.#above.push(this.#stepLine(step));
      }
    }
    this.#timer ??= setInterval(() => this.#draw(), interval).unref();
  }

  end(): void {
    clearInterval(this.#timer);
    for (const step of this.#steps.all) {
      if (step.outcome === 'error') this.#above.push(...failureReport(step).map(keepColours));
    }
    this.#draw();
    this.#block.close();
  }

  #draw(): void {
    const above = this.#above;
    this.#above = [];
    const running = this.#steps.all.filter((step) => step.ended === undefined);
    const room = Math.max(0, Math.floor((this.#block.height - 1 - running.length) / Math.max(1, running.length)));
    const lines = running.flatMap((step) => [this.#stepLine(step), ...this.#details(step, Math.min(room, tailLines))]);
    this.#block.draw(above, [this.#head(running.length), ...lines]);
  }

  #head(running: number): string {
    const all = this.#steps.all.length;
    return this.#paint('bold', `[+] Building ${formatElapsed(this.#now() - this.#started)} (${all - running}/${all})`);
  }

  #stepLine(step: StepState): string {
    const time = formatElapsed((step.ended ?? this.#now()) - step.started);
    const mark = {
      running: '',
      done: '',
      cached: 'CACHED ',
      skipped: 'SKIPPED ',
      cancelled: 'CANCELED ',
      error: 'ERROR ',
    }[step.outcome];
    const text = ` => ${mark}${escapeControls(step.title)}`;
    const room = this.#block.width - time.length - 1;
    const clipped = text.length > room ? `${text.slice(0, room - 1)}…` : text.padEnd(room);
    if (step.outcome === 'error') return this.#paint('red', `${clipped} ${time}`);
    return step.outcome === 'running' ? `${clipped} ${time}` : this.#paint('blue', `${clipped} ${time}`);
  }

  #details(step: StepState, room: number): string[] {
    const transfers = [...step.progress.values()].filter(
      ({ current, total }) => total === undefined || current < total,
    );
    const lines = [...step.tail.slice(-tailLines).map(stripControls), ...transfers.map(transferText)];
    return lines.slice(-room || lines.length).map((line) => this.#paint('dim', ` => => # ${line}`));
  }

  #paint(style: Parameters<typeof paint>[0], text: string): string {
    return paint(style, text, this.#stream);
  }
}

function transferText({ label, current, total }: StepProgress): string {
  const name = escapeControls(label);
  return total === undefined
    ? `${name} ${formatSize(current)}`
    : `${name} ${formatSize(current)} / ${formatSize(total)}`;
}
