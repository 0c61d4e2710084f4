import type { TarEntry } from '../entry.ts';
import { encodeHeader, endOfArchive, paddingFor } from '../tar/writer.ts';

const zeroPiece = Buffer.alloc(1 << 20);

/** A tar that is being written: pieces are collected until somebody takes them. */
export class TarOutput {
  #pieces: (Buffer | number)[] = [];
  #open = 0;

  begin(entry: TarEntry): void {
    this.#pieces.push(encodeHeader(entry));
    this.#open = entry.type === 'file' ? entry.size : 0;
  }

  /** Bytes that are only good during the call. */
  data(bytes: Buffer): void {
    this.#pieces.push(Buffer.from(bytes));
  }

  /** A number stands for that many zero bytes: a hole may be larger than memory. */
  hole(length: number): void {
    this.#pieces.push(length);
  }

  finishEntry(): void {
    this.#pieces.push(paddingFor(this.#open));
    this.#open = 0;
  }

  end(): void {
    this.#pieces.push(endOfArchive);
  }

  /** What was written since the last call. */
  *take(): Generator<Buffer> {
    const pieces = this.#pieces;
    this.#pieces = [];
    for (const piece of pieces) {
      if (typeof piece !== 'number') {
        if (piece.length > 0) yield piece;
        continue;
      }
      for (let left = piece; left > 0; left -= zeroPiece.length)
        yield zeroPiece.subarray(0, Math.min(left, zeroPiece.length));
    }
  }
}
