/**
 * The connections to one host that carry blobs. Whoever wants several for one blob takes only what others leave free, and one stays
 * free for questions.
 */
export class Lanes {
  readonly #most: number;
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** For the first connection of a blob, which it needs. Call the result once, when it is over. */
  enter(): () => void {
    this.#taken += 1;
    let left = false;
    return () => {
      if (!left) this.#taken -= 1;
      left = true;
    };
  }

  /** For one more; undefined where there is none. */
  tryEnter(): (() => void) | undefined {
    return this.#taken < this.#most - 1 ? this.enter() : undefined;
  }
}
