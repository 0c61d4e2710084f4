/**
 * Memory of one size that is used again and again by a thread. It lies outside of V8's heap, which therefore looks late for what of it is
 * dead: what is not needed any more is kept here for the next one, or freed at once.
 */
export class SpareMemory {
  readonly size: number;
  readonly #most: number;
  readonly #spare: ArrayBuffer[] = [];

  /** @param most how many are kept while nobody needs them */
  constructor(size: number, most: number) {
    this.size = size;
    this.#most = most;
  }

  /** Holds whatever its last user left in it. */
  take(): ArrayBuffer {
    return this.#spare.pop() ?? new ArrayBuffer(this.size);
  }

  /** Nobody may look at it any more. */
  give(memory: ArrayBuffer): void {
    if (memory.byteLength === this.size && this.#spare.length < this.#most) this.#spare.push(memory);
    else if (!memory.detached) memory.transfer(0);
  }
}
