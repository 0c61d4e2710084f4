import { Readable } from 'node:stream';
import { type Clock, systemClock } from './clock.ts';

/** Bytes that one step may take: at low rates smaller ones, so that a transfer never stands still for long. */
const largestStep = 64 * 1024;
const steps = 4;

/**
 * A bucket that fills at a steady rate and holds a fraction of a second of it; all transfers of a process, in both
 * directions, take their bytes from it.
 */
export class RateLimit {
  readonly step: number;
  readonly #perMillisecond: number;
  readonly #clock: Clock;
  /** When the bytes given out so far are paid for; milliseconds. */
  #paid = 0;

  /** @param bytesPerSecond at least 1 */
  constructor(bytesPerSecond: number, clock: Clock = systemClock) {
    this.#perMillisecond = bytesPerSecond / 1000;
    this.step = Math.max(1, Math.min(largestStep, Math.floor(bytesPerSecond / steps)));
    this.#clock = clock;
  }

  /** Waits until `bytes` may pass; those who wait take turns. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    const start = Math.max(now, this.#paid);
    this.#paid = start + bytes / this.#perMillisecond;
    if (start > now) await this.#clock.sleep(start - now, signal);
  }
}

/** A stream whose bytes pass at the rate of a limit. It ends, breaks and is destroyed with its source. */
export function paced(body: Readable, limit: RateLimit, signal?: AbortSignal): Readable {
  const passes = Readable.from(pace(body, limit, signal), { objectMode: false, highWaterMark: limit.step });
  // a stream that is destroyed before it was read never enters the generator
  passes.once('close', () => body.destroy());
  body.on('error', () => {});
  return passes;
}

/** Pieces of a source, each when it may pass. */
export async function* pace(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  limit: RateLimit,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += limit.step) {
      const piece = chunk.subarray(at, at + limit.step);
      await limit.take(piece.length, signal);
      yield piece;
    }
  }
}
