import { constants } from 'node:os';
import { inputsOf, type Scale } from './inputs/index.ts';
import { compare, type Job } from './measure/index.ts';
import { makePeers } from './peers/index.ts';
import { makePlace, type PlaceKind } from './places/index.ts';
import { fileSystemOf, jobResult, type JobResult, type MachineFacts } from './report/index.ts';

export interface RunJobOptions {
  readonly kind: PlaceKind;
  readonly machine: MachineFacts;
  readonly rounds?: number | undefined;
  /** Tiny ones run once. */
  readonly scale: Scale;
  readonly signal: AbortSignal;
}

/** Prepares a job in an empty place, measures it, and takes the place away. */
export async function runJob(job: Job, { kind, machine, rounds, scale, signal }: RunJobOptions): Promise<JobResult> {
  const place = await makePlace(kind);
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= place.close());
  const forget = onSignals(close);
  try {
    const comparison = await job.make({ place, inputs: inputsOf(scale), peers: await makePeers(place) });
    const taken = new Date();
    const settle = () => place.settle();
    const once = scale === 'tiny' ? { rounds: 1, warmups: 0 } : {};
    const run = await compare(comparison, { settle, signal, ...once, ...(rounds === undefined ? {} : { rounds }) });
    return jobResult(comparison, run, { job, place: fileSystemOf(place.folder), taken, machine });
  } finally {
    forget();
    await close();
  }
}

/** Who interrupts a benchmark finds no mounts, daemons and files of it. @returns what ends that */
function onSignals(close: () => Promise<void>): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const listener = (signal: NodeJS.Signals) => {
    void close().finally(() => process.exit(128 + constants.signals[signal]));
  };
  for (const signal of signals) process.once(signal, listener);
  return () => {
    for (const signal of signals) process.removeListener(signal, listener);
  };
}
