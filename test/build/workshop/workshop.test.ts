import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Workshop } from '../../../src/build/workshop/workshop.ts';
import { WorkshopThread } from '../../../src/build/workshop/workshop-thread.ts';
import { testPrivileges } from '../../store/scratch-store.ts';

const job = { kind: 'compare', before: '/nowhere/a', after: '/nowhere/b' } as const;

describe('a thread of the workshop', () => {
  it('that ended takes no job that would never be done', async () => {
    const thread = new WorkshopThread(testPrivileges);
    expect(await thread.run(job, {})).toBeUndefined();
    await thread.terminate();
    expect(thread.hasEnded).toBe(true);
    await expect(thread.run(job, {})).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('keeps the process until it has ended, also where an answer comes in between', async () => {
    const thread = new URL('../../../src/build/workshop/workshop-thread.ts', import.meta.url);
    const script = `
      const { WorkshopThread } = await import(${JSON.stringify(thread.href)});
      const thread = new WorkshopThread(${JSON.stringify(testPrivileges)});
      await thread.run(${JSON.stringify(job)}, {});
      const last = thread.run(${JSON.stringify(job)}, {});
      for (const since = Date.now(); Date.now() - since < 300; ); // the answer lies there when the end begins
      const ended = thread.terminate();
      await last.catch(() => undefined);
      await ended;
      console.log('ended');`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script]);
    expect(stdout).toBe('ended\n');
  });

  it('works on after another job was cancelled', async () => {
    await using workshop = new Workshop(testPrivileges);
    const controller = new AbortController();
    const cancelled = workshop.run(job, { signal: controller.signal });
    controller.abort();
    await Promise.allSettled([cancelled]);
    expect(await workshop.run(job)).toBeUndefined();
  });

  it('tells of a job when there is room for it', async () => {
    await using workshop = new Workshop(testPrivileges, { runs: 1, others: 1 });
    const told: string[] = [];
    const one = workshop.run(job, { onBegin: () => told.push('one begins') }).then(() => told.push('one is done'));
    const other = workshop.run(job, { onBegin: () => told.push('the other begins') });
    await Promise.all([one, other]);
    expect(told).toEqual(['one begins', 'one is done', 'the other begins']);
  });
});
