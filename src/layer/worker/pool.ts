import { availableParallelism } from 'node:os';
import { type MessagePort, type Transferable, Worker } from 'node:worker_threads';
import { limitMemoryArenas, workerEntry } from '../../system/index.ts';
import { messageOf } from '../../errors.ts';
import { LayerError } from '../error.ts';
import { type FromWorker, type Job, type ToWorker, unflatten } from './messages.ts';

/** Who hears of a job. */
export interface JobListener {
  chunk(bytes: Uint8Array): void;
  credit(bytes: number, memory: ArrayBuffer): void;
  done(result: unknown): void;
  failed(error: Error): void;
}

/** A job under way in a thread. */
export interface JobHandle {
  send(bytes: Uint8Array<ArrayBuffer>): void;
  end(): void;
  grant(bytes: number): void;
  /** Asks it to stop; `failed` is called once it has, and nothing of it is touched any more. */
  abort(): void;
}

interface Thread {
  readonly worker: Worker;
  readonly jobs: Map<number, JobListener>;
  lastKind: Job['kind'];
  /** Runs while there is no job. */
  idle?: NodeJS.Timeout | undefined;
}

/**
 * How long a thread waits for another job, milliseconds. After compressing hardly at all: it keeps 80 MB of what it worked with,
 * which the upload that follows needs.
 */
const patienceMs = {
  compress: 20,
  pack: 20,
  apply: 2000,
  place: 2000,
  diff: 2000,
  'diff-stack': 2000,
  'record-stats': 2000,
  survey: 2000,
  rewrite: 20,
} as const satisfies Record<Job['kind'], number>;

const largestPool = Math.min(2, availableParallelism());
const threads: Thread[] = [];
let lastJob = 0;
/** Jobs that will come while their thread would still start. */
let expected = 0;

/** A job will come, though not at once: until it is disposed of, a thread stands ready for it. Keeps no process alive. */
export function expectLayerWork(): Disposable {
  expected++;
  if (threads.length < Math.min(expected, largestPool)) openThread().worker.unref();
  return { [Symbol.dispose]: () => void expected-- };
}

/** Whether a job that is two may have a thread for each half: others would wait for them. */
export function isTwiceIdle(): boolean {
  return largestPool > 1 && threads.every(({ jobs }) => jobs.size === 0);
}

/** Starts a job in the thread that has least to do. Idle threads are kept a while for the next job, and keep no process alive. */
export function startJob(task: Job, listener: JobListener, transfer: readonly MessagePort[] = []): JobHandle {
  const thread = pickThread();
  const job = ++lastJob;
  const stop = new SharedArrayBuffer(4);
  thread.jobs.set(job, listener);
  thread.lastKind = task.kind;
  clearTimeout(thread.idle);
  thread.worker.ref();
  const post = (message: ToWorker, transfer: readonly Transferable[] = []): void => {
    if (thread.jobs.has(job)) thread.worker.postMessage(message, transfer);
  };
  post({ job, kind: 'start', task, stop }, transfer);
  return {
    send: (bytes) => post({ job, kind: 'chunk', bytes }, [bytes.buffer]),
    end: () => post({ job, kind: 'end' }),
    grant: (bytes) => post({ job, kind: 'credit', bytes }),
    abort() {
      Atomics.store(new Int32Array(stop), 0, 1); // a job in the middle of synchronous work sees this first
      post({ job, kind: 'abort' });
    },
  };
}

function pickThread(): Thread {
  const idlest = threads.toSorted((a, b) => a.jobs.size - b.jobs.size)[0];
  if (idlest !== undefined && (idlest.jobs.size === 0 || threads.length >= largestPool)) return idlest;
  return openThread();
}

function openThread(): Thread {
  limitMemoryArenas();
  const worker = new Worker(workerEntry('layer'), { name: 'slipway-layer' });
  const thread: Thread = { worker, jobs: new Map(), lastKind: 'diff' };
  threads.push(thread);
  worker.on('message', (message: FromWorker) => receive(thread, message));
  worker.on('error', (error) => closeThread(thread, messageOf(error)));
  worker.on('exit', (code) => closeThread(thread, `it ended with status ${code}`));
  return thread;
}

function receive(thread: Thread, message: FromWorker): void {
  const listener = thread.jobs.get(message.job);
  if (listener === undefined) return;
  switch (message.kind) {
    case 'chunk':
      return listener.chunk(message.bytes);
    case 'credit':
      return listener.credit(message.bytes, message.memory);
    case 'done':
      release(thread, message.job);
      return listener.done(message.result);
    case 'failed':
      release(thread, message.job);
      return listener.failed(unflatten(message.error));
  }
}

function release(thread: Thread, job: number): void {
  thread.jobs.delete(job);
  if (thread.jobs.size > 0) return;
  thread.worker.unref();
  wait(thread);
}

function wait(thread: Thread): void {
  thread.idle = setTimeout(() => dismiss(thread), patienceMs[thread.lastKind]).unref();
}

function dismiss(thread: Thread): void {
  if (thread.lastKind !== 'compress' && thread.lastKind !== 'pack' && threads.length <= expected) return wait(thread);
  const at = threads.indexOf(thread);
  if (at !== -1) threads.splice(at, 1);
  void thread.worker.terminate();
}

function closeThread(thread: Thread, why: string): void {
  const at = threads.indexOf(thread);
  if (at !== -1) threads.splice(at, 1);
  const listeners = [...thread.jobs.values()];
  thread.jobs.clear();
  for (const listener of listeners)
    listener.failed(new LayerError('WORKER_FAILED', `a worker thread broke down: ${why}`));
}
