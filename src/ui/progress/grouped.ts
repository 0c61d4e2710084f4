import type { BuildEvent, BuildNote, KnownSecrets } from '../../build/index.ts';
import { escapeControls, keepColours } from '../escape.ts';
import { formatElapsed } from '../time.ts';
import { Floor } from './floor.ts';
import { LineWriter } from './line-writer.ts';
import { noteLines } from './note.ts';
import { StepWords } from './step-words.ts';
import { failureReport, type StepState, Steps } from './steps.ts';
import { summaryOf } from './summary.ts';
import { summaryLines } from './summary-lines.ts';
import type { ProgressOptions, ProgressRenderer, ProgressStream } from './types.ts';

/** How a CI service wants lines that belong together. */
export interface GroupDialect {
  open(title: string): readonly string[];
  close(): readonly string[];
  /** A line outside of groups. */
  outside(line: string): string;
  /** Lines outside of groups that come from a step. */
  quote(lines: readonly string[]): readonly string[];
  note?(note: BuildNote): readonly string[];
  end?(steps: Steps, error: unknown): readonly string[];
  hide?(values: KnownSecrets): void;
}

/**
 * Progress for a CI service that folds lines: each step that does something is one group, with its outcome on a line of its own
 * under it; steps that say nothing are one line. Of steps that run at once, one is shown as it goes, the others after it.
 */
export class GroupedProgress implements ProgressRenderer {
  readonly #out: LineWriter;
  readonly #dialect: GroupDialect;
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #steps = new Steps();
  readonly #words: StepWords;
  readonly #floor: Floor;
  #later: string[] = [];
  /** Steps that have had a group. */
  readonly #opened = new Set<StepState>();

  constructor(stream: ProgressStream, dialect: GroupDialect, options: ProgressOptions = {}) {
    this.#out = new LineWriter(stream);
    this.#dialect = dialect;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#words = new StepWords({ now: this.#now, explain: options.explain, clean: keepColours });
    this.#floor = new Floor(
      {
        open: (step) => this.#open(step),
        line: (_, line) => this.#out.line(line),
        pause: (step) => this.#close(step),
        close: (step) => this.#close(step),
      },
      // Groups cannot be taken up again: only memory takes the floor away.
      { now: this.#now, patience: Number.POSITIVE_INFINITY },
    );
  }

  event(event: BuildEvent): void {
    if (event.type === 'note') {
      this.#outside(noteLines(event, 'WARNING:'));
      this.#between(this.#dialect.note?.(event) ?? []);
      return;
    }
    const step = this.#steps.apply(event);
    if (step === undefined || event.type === 'plan') return;
    const lines = this.#words.of(event, step);
    // A step that is explained will be done: its group opens before its first output, so that one sees that it runs.
    if (lines.length > 0 || event.type === 'step-explained') this.#floor.say(step, lines);
    if (step.ended === undefined) return;
    if (this.#floor.knows(step)) this.#floor.ended(step);
    else this.#outside([outcomeText(step)]);
  }

  end(error?: unknown): void {
    this.resume();
    this.#floor.end();
    for (const step of this.#steps.failed) this.#out.lines(this.#dialect.quote(failureReport(step).map(keepColours)));
    if (error === undefined) this.#outside(summaryLines(summaryOf(this.#steps, this.#now()), this.#options.summary));
    this.#out.lines(this.#dialect.end?.(this.#steps, error) ?? []);
  }

  hide(values: KnownSecrets): void {
    this.#dialect.hide?.(values);
  }

  suspend(): void {
    this.#out.hold();
  }

  resume(): void {
    this.#out.release();
  }

  #open(step: StepState): void {
    const again = this.#opened.has(step) ? ' (continued)' : '';
    this.#opened.add(step);
    this.#out.lines(this.#dialect.open(`#${step.number} ${escapeControls(step.title)}${again}`));
  }

  #close(step: StepState): void {
    this.#out.lines(this.#dialect.close());
    const outcome = step.ended === undefined ? [] : [this.#dialect.outside(outcomeText(step))];
    this.#out.lines([...outcome, ...this.#later]);
    this.#later = [];
  }

  #outside(lines: readonly string[]): void {
    this.#between(lines.map((line) => this.#dialect.outside(line)));
  }

  /** Writes lines that belong to no group: at once, or after the one that is open. */
  #between(lines: readonly string[]): void {
    if (this.#floor.free) this.#out.lines(lines);
    else this.#later.push(...lines);
  }
}

function outcomeText(step: StepState): string {
  const title = escapeControls(step.title);
  const time = formatElapsed(step.elapsed(0));
  switch (step.outcome) {
    case 'cached':
      return `#${step.number} CACHED ${title}`;
    case 'skipped':
      return `#${step.number} SKIPPED ${title}`;
    case 'cancelled':
      return `#${step.number} CANCELED ${time} ${title}`;
    case 'error':
      return `#${step.number} ERROR ${time} ${title}: ${escapeControls(step.error ?? '')}`;
    case 'running':
    case 'done':
      return `#${step.number} DONE ${time} ${title}`;
  }
}
