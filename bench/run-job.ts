import { inputs } from './inputs/index.ts';
import { compare, type Job } from './measure/index.ts';
import { makePeers } from './peers/index.ts';
import { makePlace, type PlaceKind } from './places/index.ts';
import { fileSystemOf, jobResult, type JobResult, type MachineFacts } from './report/index.ts';

export interface RunJobOptions {
  readonly kind: PlaceKind;
  readonly machine: MachineFacts;
  readonly rounds?: number | undefined;
}

/** Prepares a job in an empty place, measures it, and takes the place away. */
export async function runJob(job: Job, { kind, machine, rounds }: RunJobOptions): Promise<JobResult> {
  const place = await makePlace(kind);
  try {
    const comparison = await job.make({ place, inputs, peers: await makePeers(place) });
    const taken = new Date();
    const settle = () => place.settle();
    const run = await compare(comparison, { settle, ...(rounds === undefined ? {} : { rounds }) });
    return jobResult(comparison, run, { job, place: fileSystemOf(place.folder), taken, machine });
  } finally {
    await place.close();
  }
}
