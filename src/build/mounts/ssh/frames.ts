import { wireString } from './wire.ts';

const largest = 256 * 1024; // OpenSSH's own bound

/** Takes a stream apart into messages: each has its length in front. */
export class FrameReader {
  #bytes = Buffer.alloc(0);
  /** A message was longer than any is. */
  broken = false;

  push(chunk: Buffer): readonly Buffer[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const frames: Buffer[] = [];
    while (!this.broken && this.#bytes.length >= 4) {
      const length = this.#bytes.readUInt32BE();
      this.broken = length > largest;
      if (this.broken || this.#bytes.length < 4 + length) break;
      frames.push(this.#bytes.subarray(4, 4 + length));
      this.#bytes = this.#bytes.subarray(4 + length);
    }
    return frames;
  }
}

export function frame(message: Buffer): Buffer {
  return wireString(message);
}
