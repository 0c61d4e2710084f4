import { RegistryError } from '../error.ts';
import type { Layer } from './dispatch.ts';

/** One end for everything that a process asks of registries. */
export class Deadline {
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;

  /** @param milliseconds from now on */
  constructor(milliseconds: number) {
    const controller = new AbortController();
    this.signal = controller.signal;
    const message = `not done within ${milliseconds / 1000} s`;
    const hint = 'Give it more time with --timeout; what is complete is not moved twice.';
    const end = (): void => controller.abort(new RegistryError('DEADLINE', message, { hint }));
    // more than a timer can count (24 days) is no end
    this.#timer = setTimeout(end, Math.min(milliseconds, 2 ** 31 - 1)).unref();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

/** Ends requests, their bodies and the waits between their tries when the time is over. */
export function endAt(deadline: Deadline): Layer {
  return (next) => (request) => {
    deadline.signal.throwIfAborted();
    const signal = request.signal === undefined ? deadline.signal : AbortSignal.any([request.signal, deadline.signal]);
    return next({ ...request, signal });
  };
}
