import type { Readable } from 'node:stream';

/** Takes a stream in portions of a wished size. */
export class ChunkReader {
  readonly #iterator: AsyncIterator<Buffer>;
  readonly #seen: (bytes: Buffer) => void;
  #left: Buffer | undefined;
  #ended = false;

  /** `seen` gets all bytes once, in order, as they come; what it throws ends the reading. */
  constructor(stream: Readable, seen: (bytes: Buffer) => void) {
    this.#iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#seen = seen;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The next `size` bytes; fewer only at the end, none after it. @throws what the stream or `seen` throws */
  async read(size: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let length = 0;
    while (length < size) {
      const part = await this.#take(size - length);
      if (part === undefined) break;
      parts.push(part);
      length += part.length;
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  async #take(most: number): Promise<Buffer | undefined> {
    const chunk = this.#left ?? (await this.#pull());
    if (chunk === undefined) return undefined;
    this.#left = chunk.length > most ? chunk.subarray(most) : undefined;
    return chunk.subarray(0, most);
  }

  async #pull(): Promise<Buffer | undefined> {
    if (this.#ended) return undefined;
    const result = await this.#iterator.next();
    if (result.done) {
      this.#ended = true;
      return undefined;
    }
    this.#seen(result.value);
    return result.value;
  }
}
