import { sum, usageBelow } from './processes.ts';

const interval = 50;

/** Looks at processes and their descendants now and then, and keeps the highest sum of their resident memory. */
export class TreeMemory {
  readonly #pids: readonly number[];
  readonly #timer: NodeJS.Timeout;
  #peak = 0;

  constructor(pids: readonly number[]) {
    this.#pids = pids;
    this.#timer = setInterval(() => this.#look(), interval);
  }

  /** Bytes; 0 of a program that ended before it was looked at. */
  get peak(): number {
    return this.#peak;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#peak = Math.max(this.#peak, sum(this.#pids.map(usageBelow)).memory);
  }
}
