import { Worker } from 'node:worker_threads';
import { workerEntry } from '../system/index.ts';
import { asStoreError, StoreError } from './error.ts';
import type { StoreTask, TaskReply, TaskRequest } from './worker-tasks.ts';

interface Waiter {
  resolve(sizes: readonly number[]): void;
  reject(error: unknown): void;
}

/** The store's worker thread, started with its first task. Tasks run one after the other. */
export class WorkerThread {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiter>();
  #next = 0;

  /** @throws StoreError DISK_FULL, CANNOT_DELETE, IO_FAILED */
  async perform(task: StoreTask): Promise<readonly number[]> {
    const worker = (this.#worker ??= this.#start());
    const id = this.#next++;
    worker.ref();
    return new Promise<readonly number[]>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, task } satisfies TaskRequest);
    });
  }

  /** Ends the thread; tasks that run are cut off. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(workerEntry('store'), { name: 'slipway-store' });
    worker.on('message', (reply: TaskReply) => this.#settle(reply));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', () => this.#fail(new StoreError('CLOSED', 'the store was closed')));
    worker.unref();
    return worker;
  }

  #settle(reply: TaskReply): void {
    const waiter = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    // A process that waits for nothing else may end.
    if (this.#waiting.size === 0) this.#worker?.unref();
    if (reply.ok) waiter?.resolve(reply.sizes);
    else waiter?.reject(errorOf(reply));
  }

  #fail(error: unknown): void {
    for (const waiter of this.#waiting.values()) waiter.reject(error);
    this.#waiting.clear();
  }
}

function errorOf(reply: TaskReply & { readonly ok: false }): unknown {
  const { message, errno, hint, details } = reply;
  if (errno === 'CANNOT_DELETE') return new StoreError('CANNOT_DELETE', message, { hint, details });
  return asStoreError(Object.assign(new Error(message), { code: errno }), 'cannot write to the store');
}
