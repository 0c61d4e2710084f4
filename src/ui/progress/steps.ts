import type { BuildEvent, MissReason, PlannedStep } from '../../build/index.ts';

/** How many lines of a step's output are kept for the tail under it and for the report of its failure. */
const keptLines = 20;

export type StepOutcome = 'running' | 'done' | 'cached' | 'skipped' | 'cancelled' | 'error';

export interface StepProgress {
  readonly label: string;
  readonly current: number;
  readonly total: number | undefined;
}

/** What is known of one step. */
export class StepState {
  readonly id: string;
  readonly number: number;
  readonly title: string;
  readonly started: number;
  /** When it last wrote something. */
  spoke: number;
  ended: number | undefined;
  outcome: StepOutcome = 'running';
  error: string | undefined;
  /** Why it is not cached. */
  reasons: readonly MissReason[] = [];
  /** Bytes of its layer. */
  size: number | undefined;
  /** Milliseconds that the cache spared. */
  saved: number | undefined;
  /** The last lines of output, complete ones. */
  readonly tail: string[] = [];
  readonly progress = new Map<string, StepProgress>();
  #partial = { stdout: '', stderr: '' };

  constructor(event: Extract<BuildEvent, { type: 'step-start' }>, number: number) {
    this.id = event.id;
    this.number = number;
    this.title = event.title;
    this.started = event.time;
    this.spoke = event.time;
  }

  /** Milliseconds that it has run, or ran. */
  elapsed(now: number): number {
    return Math.max(0, (this.ended ?? now) - this.started);
  }

  /** Takes a piece of output and returns the lines it completes. A line over 64 KiB is given out in parts. */
  addOutput(stream: 'stdout' | 'stderr', data: string): string[] {
    const lines = (this.#partial[stream] + data).split('\n');
    this.#partial[stream] = lines.pop() ?? '';
    if (this.#partial[stream].length > 65_536) {
      lines.push(this.#partial[stream]);
      this.#partial[stream] = '';
    }
    return this.#keep(lines.map(afterCarriageReturn));
  }

  /** The lines that no line break ended. */
  flushOutput(): string[] {
    const lines = [this.#partial.stdout, this.#partial.stderr].filter((line) => line !== '');
    this.#partial = { stdout: '', stderr: '' };
    return this.#keep(lines.map(afterCarriageReturn));
  }

  /** The last lines as they stand now, also those that no line break has ended yet. */
  get lastWords(): string[] {
    const open = [this.#partial.stdout, this.#partial.stderr].map(afterCarriageReturn).filter((line) => line !== '');
    return [...this.tail, ...open];
  }

  #keep(lines: string[]): string[] {
    this.tail.push(...lines.slice(-keptLines));
    this.tail.splice(0, this.tail.length - keptLines);
    return lines;
  }
}

export type StepEvent = Exclude<BuildEvent, { type: 'note' | 'plan' }>;

/** All steps of a build, fed by its events; every renderer draws from this. */
export class Steps {
  readonly #all: StepState[] = [];
  /** By id the one that began last: a build that is done twice has the same ids again. */
  readonly #steps = new Map<string, StepState>();
  readonly #dockerfiles = new Map<string, string | undefined>();
  readonly #planned = new Map<string, PlannedStep>();

  get(id: string): StepState | undefined {
    return this.#steps.get(id);
  }

  /** In the order in which they began. */
  get all(): readonly StepState[] {
    return this.#all;
  }

  get failed(): readonly StepState[] {
    return this.#all.filter(({ outcome }) => outcome === 'error');
  }

  /** How many there are, with those that are still to come. */
  get total(): number {
    const coming = [...this.#planned.keys()].filter((id) => !this.#steps.has(id));
    return this.#all.length + coming.length;
  }

  /** Where the Dockerfile of a step is on this machine, if it is. */
  dockerfileOf(id: string): string | undefined {
    return this.#dockerfiles.get(id);
  }

  planned(id: string): PlannedStep | undefined {
    return this.#planned.get(id);
  }

  count(outcome: StepOutcome): number {
    let count = 0;
    for (const step of this.#all) if (step.outcome === outcome) count += 1;
    return count;
  }

  /** Applies an event and returns the step that it is about. Events about steps that never started are dropped. */
  apply(event: Exclude<BuildEvent, { type: 'note' }>): StepState | undefined {
    if (event.type === 'plan') {
      for (const step of event.steps) {
        this.#planned.set(step.id, step);
        this.#dockerfiles.set(step.id, event.path);
      }
      return undefined;
    }
    if (event.type === 'step-start') {
      const step = new StepState(event, this.#all.length + 1);
      this.#all.push(step);
      this.#steps.set(event.id, step);
      return step;
    }
    const step = this.#steps.get(event.id);
    if (step !== undefined) applyTo(step, event);
    return step;
  }
}

function applyTo(step: StepState, event: Exclude<StepEvent, { type: 'step-start' }>): void {
  switch (event.type) {
    case 'step-progress':
      step.progress.set(event.label, { label: event.label, current: event.current, total: event.total });
      return;
    case 'step-explained':
      step.reasons = event.reasons;
      return;
    case 'step-log':
      return;
    case 'step-done':
      step.outcome = event.cached ? 'cached' : event.skipped === true ? 'skipped' : 'done';
      step.size = event.size;
      step.saved = event.saved;
      break;
    case 'step-error':
      step.outcome = 'error';
      step.error = event.message;
      break;
    case 'step-cancelled':
      step.outcome = 'cancelled';
      break;
  }
  step.ended = event.time;
}

/** The last lines of a step that failed, framed as BuildKit frames them. */
export function failureReport(step: StepState): string[] {
  return step.tail.length === 0 ? [] : ['------', ` > ${step.title}:`, ...step.tail, '------'];
}

/** What a terminal would show of a line that redraws itself (`10%\r20%\r`). */
function afterCarriageReturn(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf('\r') + 1);
}
