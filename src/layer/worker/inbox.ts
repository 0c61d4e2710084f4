/** Chunks on their way to a job: pushed by messages, taken one by one. */
export class Inbox<Chunk = Uint8Array> implements AsyncIterable<Chunk> {
  readonly #chunks: Chunk[] = [];
  readonly #taken: (chunk: Chunk) => void;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /** `taken` gets each chunk back when it was dealt with. */
  constructor(taken: (chunk: Chunk) => void) {
    this.#taken = taken;
  }

  push(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        yield chunk;
        this.#taken(chunk);
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
