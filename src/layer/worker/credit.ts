import { creditWindow } from './messages.ts';

/** Counts what the other side has not yet dealt with, and lets a sender wait while it is too much. */
export class Credit {
  #left = creditWindow;
  #failure: Error | undefined;
  readonly #waiting: (() => void)[] = [];

  /** Waits until there is room, then takes `bytes`; may overdraw by one chunk. */
  async spend(bytes: number): Promise<void> {
    while (this.#left <= 0 && this.#failure === undefined) {
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#left -= bytes;
  }

  grant(bytes: number): void {
    this.#left += bytes;
    this.#wakeAll();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
