import { availableParallelism } from 'node:os';
import { Semaphore } from '../../oci/index.ts';
import type { Privileges } from '../../system/index.ts';
import type { Job, JobResults } from './jobs.ts';
import { type JobOptions, WorkshopThread } from './workshop-thread.ts';

export type { JobOptions } from './workshop-thread.ts';

/** How many jobs are done at once. Containers mostly wait for their own programs, so they are counted apart. */
export interface Parallelism {
  readonly runs: number;
  /** Copying, hashing and the like, which keep a core and the disk busy. */
  readonly others: number;
}

/** As many as there are cores, but at least four RUN steps: they often wait. `most` is `--max-parallelism`. */
export function parallelismOf(most: number | undefined): Parallelism {
  const cores = availableParallelism();
  const limit = most ?? Number.POSITIVE_INFINITY;
  return { runs: Math.min(Math.max(4, cores), limit), others: Math.min(cores, limit) };
}

/**
 * Where steps are done: threads, started as they are needed, each for one job at a time. What is in the way of a job waits in
 * order.
 */
export class Workshop implements AsyncDisposable {
  readonly #privileges: Privileges;
  readonly #runs: Semaphore;
  readonly #others: Semaphore;
  readonly #threads = new Set<WorkshopThread>();
  readonly #idle: WorkshopThread[] = [];
  readonly #most: number;
  /** RUN steps that were announced and have not begun. */
  #expected = 0;

  /** Starts the first thread at once: most builds need one, and its start takes longer than reading a Dockerfile. */
  constructor(privileges: Privileges, { runs, others }: Parallelism = parallelismOf(undefined)) {
    this.#privileges = privileges;
    this.#most = runs;
    this.#runs = new Semaphore(runs);
    this.#others = new Semaphore(others);
    this.#idle.push(this.#start());
  }

  /** A RUN step will begin soon: its thread starts while its network is made. */
  expectRun(): void {
    this.#expected++;
    if (this.#idle.length < this.#expected && this.#threads.size < this.#most) this.#idle.push(this.#start());
  }

  /** Does one job. Aborting kills the container of a running step. */
  run<J extends Job>(job: J, options: JobOptions = {}): Promise<JobResults[J['kind']]> {
    const slots = job.kind === 'run' ? this.#runs : this.#others;
    return slots.run(async () => {
      options.onBegin?.();
      if (job.kind === 'run') this.#expected = Math.max(0, this.#expected - 1);
      const thread = this.#takeIdle() ?? this.#start();
      try {
        return await thread.run(job, options);
      } finally {
        if (thread.hasEnded) this.#threads.delete(thread);
        else this.#idle.push(thread);
      }
    }, options.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Array.from(this.#threads, (thread) => thread.terminate()));
  }

  #takeIdle(): WorkshopThread | undefined {
    let thread = this.#idle.pop();
    while (thread?.hasEnded === true) thread = this.#idle.pop();
    return thread;
  }

  #start(): WorkshopThread {
    const thread = new WorkshopThread(this.#privileges);
    this.#threads.add(thread);
    return thread;
  }
}
