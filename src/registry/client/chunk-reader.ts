import type { Readable } from 'node:stream';

/** Takes a stream whose length is known in portions of a wished size; a portion is copied once, into memory of its own. */
export class ChunkReader {
  readonly #iterator: AsyncIterator<Buffer>;
  readonly #seen: (bytes: Buffer) => void;
  #remaining: number;
  #left: Buffer = Buffer.alloc(0);
  #ended = false;

  /** `seen` gets all bytes once, in order, as they come; what it throws, such as for more than `size` bytes, ends the reading. */
  constructor(stream: Readable, size: number, seen: (bytes: Buffer) => void) {
    this.#iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#remaining = size;
    this.#seen = seen;
  }

  /** True when all bytes were given out and the stream has ended. */
  get ended(): boolean {
    return this.#ended && this.#left.length === 0;
  }

  /**
   * The next `size` bytes; fewer only at the end, none after it.
   * @param used an earlier portion that is not needed any more: its memory serves again where it is large enough
   * @throws what the stream or `seen` throws
   */
  async read(size: number, used?: Buffer): Promise<Buffer> {
    const wanted = Math.min(size, this.#remaining);
    const memory = used !== undefined && used.buffer.byteLength >= wanted ? used.buffer : undefined;
    const chunk = memory === undefined ? Buffer.allocUnsafeSlow(wanted) : Buffer.from(memory, 0, wanted);
    let length = 0;
    while (length < chunk.length && (await this.#fill())) {
      const taken = this.#left.copy(chunk, length);
      this.#left = this.#left.subarray(taken);
      length += taken;
    }
    this.#remaining -= length;
    // the end is only known when it was seen, and what comes instead of it is an error
    if (this.#remaining === 0) while (await this.#fill()) this.#left = this.#left.subarray(this.#left.length);
    return chunk.subarray(0, length);
  }

  /** False at the end. */
  async #fill(): Promise<boolean> {
    while (this.#left.length === 0) {
      if (this.#ended) return false;
      const result = await this.#iterator.next();
      if (result.done) {
        this.#ended = true;
        return false;
      }
      this.#seen(result.value);
      this.#left = result.value;
    }
    return true;
  }
}
