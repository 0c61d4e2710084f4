import type { Worker } from 'node:worker_threads';
import { SlipwayError } from '../../errors.ts';
import type { Privileges } from '../../system/index.ts';
import { BuildError } from '../error.ts';
import type { CarriedError, FromWorkshop, Job, JobResults, ToWorkshop, WorkshopSetup } from './jobs.ts';
import { takeThread } from './first-thread.ts';

export interface JobOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told once there is room for the job. */
  readonly onBegin?: (() => void) | undefined;
  readonly onOutput?: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
  /** Told when a RUN step's container has ended, before its layer is made. */
  readonly onLeft?: (() => void) | undefined;
  /** Asked after each output: what to wait for before there may be much more of it. Never rejected. */
  readonly shown?: (() => Promise<void> | undefined) | undefined;
}

const plenty = 1 << 30;

interface Pending {
  resolve(result: JobResults[Job['kind']]): void;
  reject(error: unknown): void;
  readonly options: JobOptions;
}

/**
 * A thread in which steps are done, one at a time. It has a mount namespace of its own, so its mounts die with the process and
 * no other step sees them, and it may block: walking, hashing and copying are synchronous there (DESIGN "Threads").
 */
export class WorkshopThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #unread = new Int32Array(new SharedArrayBuffer(4));
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  #next = 0;
  /** Why it does nothing any more. */
  #end: unknown;
  #isEnding = false;

  constructor(privileges: Privileges) {
    const setup: WorkshopSetup = { privileges, unread: this.#unread, stop: this.#stop };
    this.#worker = takeThread();
    this.#post({ type: 'setup', setup });
    this.#worker.on('message', (message: FromWorkshop) => this.#receive(message));
    this.#worker.on('error', (error) => this.#failAll(error));
    this.#worker.on('exit', () => this.#failAll(new BuildError('CANCELLED', 'the build thread ended')));
    this.#worker.unref();
  }

  /** A thread that ended (it ran out of memory, say) does no other job. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  async run<J extends Job>(job: J, options: JobOptions): Promise<JobResults[J['kind']]> {
    options.signal?.throwIfAborted();
    if (this.hasEnded) throw this.#end;
    const id = this.#next++;
    this.#worker.ref();
    let lent = 0;
    const cancel = () => {
      Atomics.store(this.#stop, 0, 1);
      lent = plenty;
      this.#taken(lent); // a thread that waits for a reader would not hear of it
      this.#post({ type: 'cancel', id });
    };
    options.signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await new Promise<JobResults[J['kind']]>((resolve, reject) => {
        this.#pending.set(id, { resolve: resolve as Pending['resolve'], reject, options });
        this.#post({ type: 'job', id, job });
      });
    } finally {
      options.signal?.removeEventListener('abort', cancel);
      Atomics.store(this.#stop, 0, 0);
      this.#taken(-lent); // the next job's output has to wait for its readers again
      this.#pending.delete(id);
      // Whoever waits for the thread's end may have nothing else that keeps the process.
      if (this.#pending.size === 0 && !this.#isEnding) this.#worker.unref();
    }
  }

  async terminate(): Promise<void> {
    this.#isEnding = true;
    await this.#worker.terminate();
  }

  #post(message: ToWorkshop): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorkshop): void {
    const pending = this.#pending.get(message.id);
    if (message.type === 'output') {
      pending?.options.onOutput?.(message.stream, message.chunk);
      const shown = pending?.options.shown?.();
      if (shown === undefined) this.#taken(message.chunk.length);
      else void shown.finally(() => this.#taken(message.chunk.length));
      return;
    }
    if (pending === undefined) return;
    if (message.type === 'left') return pending.options.onLeft?.();
    if (message.type === 'result') pending.resolve(message.result);
    else pending.reject(new WorkshopError(message.error));
  }

  #taken(bytes: number): void {
    Atomics.sub(this.#unread, 0, bytes);
    Atomics.notify(this.#unread, 0);
  }

  #failAll(error: unknown): void {
    this.#end ??= error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}

/** An error that came over from the workshop, with the code that it had there. */
class WorkshopError extends SlipwayError {
  readonly code: string;
  constructor(carried: CarriedError) {
    super(carried.message, { hint: carried.hint, details: carried.details, exitCode: carried.exitCode });
    this.name = carried.name;
    this.code = carried.code;
    if (carried.stack !== undefined) this.stack = carried.stack;
  }
}
