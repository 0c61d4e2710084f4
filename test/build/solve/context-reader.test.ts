import { describe, expect, it } from '@jest/globals';
import { selectionsOf } from '../../../src/build/contexts/trees.ts';
import { ContextReader } from '../../../src/build/solve/context-reader.ts';
import type { DigestJob } from '../../../src/build/workshop/jobs.ts';
import type { Lane } from '../../../src/build/workshop/lane.ts';
import type { Workshop } from '../../../src/build/workshop/workshop.ts';

const context = { dockerfile: { name: 'Dockerfile', text: Buffer.from('') }, folder: '/context', ignore: ['dist'] };
const copies = [{ paths: ['/a'], parents: false, exclude: [] }];
const selection = selectionsOf(copies, context, undefined)[0] ?? { sources: [], parents: false, exclude: [] };

/** A reader, the jobs that it gave to its workshop, and whether those fail. */
function readerOf(outcome: { fails: boolean } = { fails: false }) {
  const jobs: DigestJob[] = [];
  const run = (job: DigestJob, { signal }: { signal: AbortSignal }) => {
    signal.throwIfAborted();
    jobs.push(job);
    return outcome.fails ? Promise.reject(new Error('not there')) : Promise.resolve(`digest ${jobs.length}`);
  };
  const workshop = { run } as unknown as Workshop;
  const reader = new ContextReader({ workshop, lane: { id: 'b1' } as Lane, root: '/store', noCache: false });
  const ask = (signal = new AbortController().signal) =>
    reader.digest(selection, () => reader.read(selection, { signal }));
  return { reader, jobs, ask };
}

describe('a reader of contexts', () => {
  it('has for a step what was read ahead of it', async () => {
    const { reader, jobs, ask } = readerOf();
    reader.readAhead(selection);
    expect(await ask()).toBe('digest 1');
    expect(jobs).toHaveLength(1);
  });

  it('reads again for a step what failed ahead of it', async () => {
    const outcome = { fails: true };
    const { reader, ask } = readerOf(outcome);
    reader.readAhead(selection);
    await new Promise(setImmediate);
    outcome.fails = false;
    expect(await ask()).toBe('digest 2');
  });

  it('asks the thread to look again where files changed', async () => {
    const { reader, jobs, ask } = readerOf();
    await ask();
    reader.seeAgain();
    expect(await ask()).toBe('digest 2');
    expect(new Set(jobs.map(({ build }) => build)).size).toBe(2);
  });

  it('reads nothing ahead once the build has ended', async () => {
    const { reader, jobs } = readerOf();
    reader[Symbol.dispose]();
    reader.readAhead(selection);
    await new Promise(setImmediate);
    expect(jobs).toEqual([]);
  });

  it('does not look at what a commit or a download tells', () => {
    expect(selectionsOf(copies, { ...context, identity: 'a commit' }, undefined)).toEqual([]);
  });
});
