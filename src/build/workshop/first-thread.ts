import { Worker } from 'node:worker_threads';
import { workerEntry } from '../../system/index.ts';

let first: Worker | undefined;

/**
 * Gives the process's first workshop a thread that its launcher started, of `workerEntry('build')`: it starts on a core of its own
 * while the main thread loads the program, which is 60 ms less before a context is read.
 */
export function offerThread(thread: Worker): void {
  first = thread;
}

/** A thread that nobody has: the one that was offered, if it still runs, or a new one. */
export function takeThread(): Worker {
  const offered = first;
  first = undefined;
  const hasEnded = offered === undefined || offered.threadId < 0;
  return hasEnded ? new Worker(workerEntry('build'), { name: 'slipway-build' }) : offered;
}
