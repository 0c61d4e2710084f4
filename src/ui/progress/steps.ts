import type { BuildEvent } from '../../build/index.ts';

/** How many lines of a step's output are kept for the tail under it and for the report of its failure. */
const keptLines = 20;

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
  ended: number | undefined;
  outcome: 'running' | 'done' | 'cached' | 'skipped' | 'cancelled' | 'error' = 'running';
  error: string | undefined;
  /** The last lines of output, complete ones. */
  readonly tail: string[] = [];
  readonly progress = new Map<string, StepProgress>();
  #partial = { stdout: '', stderr: '' };

  constructor(event: Extract<BuildEvent, { type: 'step-start' }>, number: number) {
    this.id = event.id;
    this.number = number;
    this.title = event.title;
    this.started = event.time;
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

  #keep(lines: string[]): string[] {
    this.tail.push(...lines.slice(-keptLines));
    this.tail.splice(0, this.tail.length - keptLines);
    return lines;
  }
}

/** All steps of a build, fed by its events; every renderer draws from this. */
export class Steps {
  readonly #steps = new Map<string, StepState>();

  get(id: string): StepState | undefined {
    return this.#steps.get(id);
  }

  get all(): readonly StepState[] {
    return [...this.#steps.values()];
  }

  /** Applies an event about a step and returns the step. Events about steps that never started are dropped. */
  apply(event: Exclude<BuildEvent, { type: 'note' }>): StepState | undefined {
    if (event.type === 'step-start') {
      const step = new StepState(event, this.#steps.size + 1);
      this.#steps.set(event.id, step);
      return step;
    }
    if (event.type === 'plan') return undefined;
    const step = this.#steps.get(event.id);
    if (step === undefined) return undefined;
    switch (event.type) {
      case 'step-progress':
        step.progress.set(event.label, { label: event.label, current: event.current, total: event.total });
        break;
      case 'step-done':
        step.ended = event.time;
        step.outcome = event.cached ? 'cached' : event.skipped === true ? 'skipped' : 'done';
        break;
      case 'step-error':
        step.ended = event.time;
        step.outcome = 'error';
        step.error = event.message;
        break;
      case 'step-cancelled':
        step.ended = event.time;
        step.outcome = 'cancelled';
        break;
      case 'step-log':
      case 'step-explained':
        break;
    }
    return step;
  }
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
