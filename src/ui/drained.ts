import type { Writable } from 'node:stream';

let draining: Promise<void> | undefined;

/** Fulfilled when a stream has passed on what it holds; undefined where it waits for nobody. */
export function drained(stream: Writable): Promise<void> | undefined {
  if (!stream.writableNeedDrain) return undefined;
  draining ??= new Promise<void>((resolve) => void stream.once('drain', resolve).once('close', resolve)).finally(() => {
    draining = undefined;
  });
  return draining;
}
