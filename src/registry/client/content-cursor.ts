import type { Readable } from 'node:stream';
import { chunkPassed } from '../../system/index.ts';
import { type ContentSource, type Descriptor, OciError } from '../../oci/index.ts';

/** An open stream of the content, and how far it was read. */
interface OpenContent {
  readonly stream: Readable;
  readonly iterator: AsyncIterator<Buffer>;
  /** Read from the stream and not passed on yet. */
  left: Buffer;
  at: number;
  /** Somebody waits for the next bytes; whoever that was may have gone away since. */
  waiting: boolean;
}

/** Reads content in portions, from wherever the next one begins: goes on in the open stream where that is the place, else opens another. */
export class ContentCursor {
  readonly #descriptor: Descriptor;
  readonly #source: ContentSource;
  #open: OpenContent | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(descriptor: Descriptor, source: ContentSource) {
    this.#descriptor = descriptor;
    this.#source = source;
  }

  /** What the content itself failed with, as opposed to whoever took it. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /**
   * One reader at a time; a new one ends an earlier that was left. The last bytes of all come only when the stream has ended well, so
   * that bytes which are not those described are never complete.
   */
  async *read(start: number, end: number): AsyncGenerator<Buffer> {
    const open = await this.#at(start);
    while (open.at < end) {
      if (open.left.length === 0) open.left = (await this.#next(open)) ?? this.#mismatch('fewer');
      const piece = open.left.subarray(0, end - open.at);
      const rest = open.left.subarray(piece.length);
      if (
        open.at + piece.length === this.#descriptor.size &&
        (rest.length > 0 || (await this.#next(open)) !== undefined)
      ) {
        this.#mismatch('more');
      }
      if (this.#open !== open) return;
      open.at += piece.length;
      open.left = rest;
      yield piece;
    }
  }

  close(): void {
    this.#open?.stream.on('error', () => {}).destroy();
    this.#open = undefined;
  }

  async #at(start: number): Promise<OpenContent> {
    const known = this.#open;
    if (known !== undefined && known.at === start && !known.waiting) return known;
    this.close();
    const stream = await this.#noting(undefined, () => this.#source(start));
    const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#open = { stream, iterator, left: Buffer.alloc(0), at: start, waiting: false };
    return this.#open;
  }

  async #next(open: OpenContent): Promise<Buffer | undefined> {
    open.waiting = true;
    const result = await this.#noting(open, () => open.iterator.next());
    open.waiting = false;
    if (result.done) return undefined;
    chunkPassed(result.value.length);
    return result.value;
  }

  #mismatch(which: string): never {
    const { digest, size } = this.#descriptor;
    const error = new OciError('SIZE_MISMATCH', `${digest} has ${which} than the ${size} bytes described`);
    this.#failure = { error };
    throw error;
  }

  async #noting<T>(open: OpenContent | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // what breaks because it was closed is no failure
      if (this.#open === open) this.#failure = { error };
      throw error;
    }
  }
}
