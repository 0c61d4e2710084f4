import { parentPort } from 'node:worker_threads';
import { isSlipwayError, messageOf } from '../errors.ts';
import { cancelled } from './error.ts';
import type { CarriedError, FromWorkshop, Job, JobResults, ToWorkshop, WorkshopSetup } from './workshop/jobs.ts';
import type { JobContext } from './operations/context.ts';
import { digestJob } from './operations/select.ts';

// The entry of the workshop thread: takes jobs one after another, see workshop.ts. What every build asks for, cached or not, is
// loaded while the main thread still reads the Dockerfile; the rest with the first job that needs it.

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread');
/** Not the thread's first data: the launcher starts it before anybody knows them. */
let setup: WorkshopSetup | undefined;
/** Messages wait in memory without limit: a step that writes faster than its output is shown has to wait instead. */
const mostUnread = 4 << 20;
const running = new Map<number, AbortController>();
let queue = Promise.resolve();

port.on('message', (message: ToWorkshop) => {
  if (message.type === 'setup') return void (setup = message.setup);
  if (message.type === 'cancel') return running.get(message.id)?.abort();
  const controller = new AbortController();
  running.set(message.id, controller);
  queue = queue.then(() => work(message.id, message.job, controller.signal));
});

function post(message: FromWorkshop): void {
  port?.postMessage(message);
}

async function work(id: number, job: Job, signal: AbortSignal): Promise<void> {
  if (setup === undefined) throw new Error('a job came before the setup');
  const { privileges, unread, stop } = setup;
  const context: JobContext = {
    privileges,
    signal,
    onOutput: (stream, chunk) => {
      let waiting: number;
      while ((waiting = Atomics.load(unread, 0)) > mostUnread) Atomics.wait(unread, 0, waiting, 1000);
      Atomics.add(unread, 0, chunk.length);
      post({ type: 'output', id, stream, chunk });
    },
    onLeft: () => post({ type: 'left', id }),
    checkIn: () => {
      if (Atomics.load(stop, 0) !== 0) throw cancelled();
    },
  };
  try {
    signal.throwIfAborted();
    post({ type: 'result', id, result: await perform(job, context) });
  } catch (error) {
    post({ type: 'error', id, error: carry(error) });
  } finally {
    running.delete(id);
  }
}

async function perform(job: Job, context: JobContext): Promise<JobResults[Job['kind']]> {
  switch (job.kind) {
    case 'digest':
      return digestJob(job);
    case 'compare':
      return (await import('./operations/compare.ts')).compareJob(job);
    case 'copy':
      return (await import('./operations/copy.ts')).copyJob(job, context);
    case 'workdir':
      return (await import('./operations/workdir.ts')).workdirJob(job, context);
    case 'run':
      return (await import('./operations/run.ts')).runJob(job, context);
    case 'fill':
      return (await import('./operations/fill.ts')).fillJob(job, context);
    case 'export':
      return (await import('./operations/export.ts')).exportJob(job, context);
  }
}

function carry(error: unknown): CarriedError {
  const stack = error instanceof Error ? error.stack : undefined;
  if (isSlipwayError(error)) {
    return {
      name: error.name,
      message: error.message,
      code: error.code,
      hint: error.hint,
      details: error.details,
      exitCode: error.exitCode,
      stack,
    };
  }
  const errno = (error as NodeJS.ErrnoException | null)?.code;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') return { ...diskFull, name: 'BuildError', details: [], stack };
  return { name: 'BuildError', message: messageOf(error), code: 'STEP_FAILED', details: [], exitCode: 1, stack };
}

const diskFull = {
  code: 'DISK_FULL',
  message: 'cannot write what the step makes: no space left on device',
  hint: 'free some space, for instance with `slipway prune`',
  exitCode: 1,
} as const;
