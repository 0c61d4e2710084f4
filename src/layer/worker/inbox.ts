/** Chunks on their way to a job: pushed by messages, taken one by one. */
export class Inbox implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = [];
  readonly #taken: (chunk: Uint8Array) => void;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /** `taken` gets each chunk back when it was dealt with. */
  constructor(taken: (chunk: Uint8Array) => void) {
    this.#taken = taken;
  }

  push(chunk: Uint8Array): void {
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

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
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
