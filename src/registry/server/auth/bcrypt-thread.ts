import { Worker } from 'node:worker_threads';
import { workerEntry } from '../../../system/index.ts';
import { ProtocolError } from '../protocol-error.ts';

/** Compares passwords with bcrypt's hashes in a thread of its own: each takes up to a second of computing. */
export interface BcryptThread {
  /** @throws ProtocolError TOOMANYREQUESTS where too many wait */
  compare(password: string, hash: string): Promise<boolean>;
}

/** What goes to the thread. */
export interface BcryptQuestion {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

/** What comes back. */
export interface BcryptAnswer {
  readonly id: number;
  readonly matches: boolean;
}

/** Logins that wait at once; more are people guessing. */
const mostWaiting = 64;
/** Milliseconds for which the thread waits for the next login. */
const patience = 10_000;

export function openBcryptThread(): BcryptThread {
  const waiting = new Map<number, (matches: boolean | Error) => void>();
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last = 0;
  const lost = (thread: Worker, error: Error): void => {
    if (worker !== thread) return;
    worker = undefined;
    for (const settle of waiting.values()) settle(error);
    waiting.clear();
  };
  const open = (): Worker => {
    const thread = new Worker(workerEntry('registry'), { name: 'slipway-registry' });
    thread.on('message', ({ id, matches }: BcryptAnswer) => {
      waiting.get(id)?.(matches);
      waiting.delete(id);
      if (waiting.size > 0) return;
      thread.unref();
      idle = setTimeout(() => {
        worker = undefined;
        void thread.terminate();
      }, patience).unref();
    });
    thread.on('error', (error) => lost(thread, error instanceof Error ? error : new Error(String(error))));
    thread.on('exit', () => lost(thread, new Error('the thread for passwords has ended')));
    return thread;
  };
  return {
    compare: (password, hash) => {
      if (waiting.size >= mostWaiting) {
        throw new ProtocolError('TOOMANYREQUESTS', 'too many logins at once', { headers: { 'retry-after': '2' } });
      }
      clearTimeout(idle);
      worker ??= open();
      worker.ref();
      const id = ++last;
      const { promise, resolve, reject } = Promise.withResolvers<boolean>();
      waiting.set(id, (matches) => (matches instanceof Error ? reject(matches) : resolve(matches)));
      worker.postMessage({ id, password, hash } satisfies BcryptQuestion);
      return promise;
    },
  };
}
