import { createCipheriv, createHash } from 'node:crypto';

/** Bytes and numbers that look random and are the same in every run. */
export class Random {
  readonly #stream: ReturnType<typeof createCipheriv>;
  #numbers: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(seed: string) {
    const key = createHash('sha256').update(seed).digest().subarray(0, 16);
    this.#stream = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  }

  bytes(length: number): Buffer {
    return this.#stream.update(Buffer.alloc(length));
  }

  /** A whole number from 0 up to, and without, `end`. */
  below(end: number): number {
    if (this.#at === this.#numbers.length) {
      this.#numbers = this.bytes(1 << 16);
      this.#at = 0;
    }
    const value = this.#numbers.readUInt32LE(this.#at);
    this.#at += 4;
    return value % end;
  }

  /** As {@link below}, and small ones are far more frequent than large ones. */
  skewedBelow(end: number): number {
    const unit = this.below(1 << 30) / (1 << 30);
    return Math.floor(end * unit * unit * unit);
  }
}
