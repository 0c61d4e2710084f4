import type { StepState } from './steps.ts';

/** How what steps say is written, one step at a time. */
export interface Speech {
  /** The step gets the floor, for the first time or again. */
  open(step: StepState): void;
  line(step: StepState, line: string): void;
  /** The step loses the floor, though it goes on. */
  pause(step: StepState): void;
  /** The step has ended, or the build, and all that it said is written. */
  close(step: StepState): void;
}

export interface FloorOptions {
  readonly now: () => number;
  /** A step that says nothing for so long gives the floor to one that does. Milliseconds. */
  readonly patience: number;
}

/** When so much waits, the floor goes to who waits longest, so that memory stays bounded. Characters. */
const maxWaiting = 4 << 20;

/**
 * Keeps steps that run at once apart: one has the floor, the lines of the others wait until it ends or falls silent.
 * No line is lost or cut.
 */
export class Floor {
  readonly #speech: Speech;
  readonly #options: FloorOptions;
  /** Lines that wait, by step, in the order in which the steps first spoke. */
  readonly #waiting = new Map<StepState, string[]>();
  #waitingSize = 0;
  #holder: StepState | undefined;
  #lastWords = 0;

  constructor(speech: Speech, options: FloorOptions) {
    this.#speech = speech;
    this.#options = options;
  }

  /** Nobody speaks. */
  get free(): boolean {
    return this.#holder === undefined;
  }

  /** Whether the step has the floor or waits for it. */
  knows(step: StepState): boolean {
    return this.#holder === step || this.#waiting.has(step);
  }

  say(step: StepState, lines: readonly string[]): void {
    const now = this.#options.now();
    if (!this.#mayHave(step, now)) {
      this.#wait(step, lines);
      if (this.#waitingSize > maxWaiting) this.#letWaiting();
      return;
    }
    this.#give(step);
    const waiting = this.#waiting.get(step) ?? [];
    this.#forget(step);
    for (const line of waiting) this.#speech.line(step, line);
    for (const line of lines) this.#speech.line(step, line);
    this.#lastWords = now;
  }

  /** After a step's end: if it had the floor, those that ended meanwhile are told in full, then one that runs gets it. */
  ended(step: StepState): void {
    if (this.#holder !== step) return;
    this.#release();
    for (const other of this.#waiting.keys()) if (other.ended !== undefined) this.#tell(other);
    const [next] = this.#waiting.keys();
    if (next !== undefined) this.say(next, []);
  }

  /** Writes all that still waits. */
  end(): void {
    this.#release();
    for (const step of this.#waiting.keys()) this.#tell(step);
  }

  #mayHave(step: StepState, now: number): boolean {
    return this.#holder === undefined || this.#holder === step || now - this.#lastWords >= this.#options.patience;
  }

  #wait(step: StepState, lines: readonly string[]): void {
    const waiting = this.#waiting.get(step) ?? [];
    this.#waiting.set(step, waiting);
    for (const line of lines) {
      waiting.push(line);
      this.#waitingSize += line.length;
    }
  }

  #forget(step: StepState): void {
    for (const line of this.#waiting.get(step) ?? []) this.#waitingSize -= line.length;
    this.#waiting.delete(step);
  }

  #letWaiting(): void {
    for (const step of this.#waiting.keys()) {
      this.#pause();
      if (step.ended === undefined) this.say(step, []);
      else this.#tell(step);
    }
  }

  #give(step: StepState): void {
    if (this.#holder === step) return;
    this.#pause();
    this.#holder = step;
    this.#speech.open(step);
  }

  #pause(): void {
    if (this.#holder !== undefined) this.#speech.pause(this.#holder);
    this.#holder = undefined;
  }

  #release(): void {
    if (this.#holder !== undefined) this.#speech.close(this.#holder);
    this.#holder = undefined;
  }

  #tell(step: StepState): void {
    this.say(step, []);
    this.#release();
  }
}
