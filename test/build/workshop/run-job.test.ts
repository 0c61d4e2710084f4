import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from '../../../src/build/workshop/jobs.ts';
import { type JobOptions, Workshop } from '../../../src/build/workshop/workshop.ts';
import { diffLayer } from '../../../src/layer/index.ts';
import { whyNot } from '../../container/workshop.ts';
import { rootPrivileges } from '../../root-privileges.ts';
import { ScratchTree } from '../scratch.ts';

const suite = whyNot('sandbox') === undefined ? describe : describe.skip;

suite('the layer of a RUN step (skipped without root, busybox and unshare)', () => {
  const tree = new ScratchTree({ 'lower/bin': null, 'lower/etc/kept': 'kept' });
  const at = (...names: string[]): string => join(tree.root, ...names);
  let count = 0;

  beforeAll(() => {
    copyFileSync('/bin/busybox', at('lower/bin/busybox'));
    for (const name of ['sh', 'touch', 'rm', 'mkdir', 'seq', 'xargs']) symlinkSync('busybox', at('lower/bin', name));
  });
  afterAll(() => tree[Symbol.dispose]());

  /** Runs a script over the root; `upper` is what it changed. */
  async function step(script: string, options?: JobOptions): Promise<RunResult & { readonly upper: string }> {
    const name = String(count++);
    for (const folder of ['upper', 'work', 'scratch']) mkdirSync(at(name, folder), { recursive: true });
    const layers = { cwd: tree.root, lowers: ['lower'], upper: `${name}/upper`, work: `${name}/work` };
    const root = { kind: 'overlay', ...layers, volatile: true, userXattr: false } as const;
    const upper = at(name, 'upper');
    const [headerList, lowers] = [at(name, 'headers'), [at('lower')]];
    await using workshop = new Workshop(rootPrivileges);
    const active = { id: '1', parent: undefined, root, folder: upper, driver: 'overlay', headerList } as const;
    const end = await workshop.run(
      {
        kind: 'run',
        place: { active, scratch: at(name, 'scratch') },
        containerId: `test-layer-${process.pid}-${name}`,
        isolation: 'sandbox',
        args: ['/bin/sh', '-c', script],
        env: ['PATH=/bin'],
        cwd: '/',
        user: '',
        network: 'none',
        confinement: {},
        mounts: [],
        treeMounts: [],
        credentials: { files: [], env: [], agents: [] },
        layer: { folder: upper, options: { privileges: rootPrivileges, lowers, headerList } },
      },
      options,
    );
    return { ...end, upper };
  }

  it('is made along with it, the same as a diff makes afterwards', async () => {
    const { draft, upper } = await step('echo new > /file; rm /etc/kept');
    const headerList = at('again');
    const again = diffLayer(upper, { privileges: rootPrivileges, lowers: [at('lower')], headerList });
    expect(draft).toEqual(again);
    expect(draft?.entries).toBeGreaterThan(2);
    expect(readFileSync(headerList)).toEqual(readFileSync(at('0/headers')));
  });

  it('is begun when it was told that the container has ended', async () => {
    const told: string[] = [];
    const { draft } = await step('echo said', {
      onOutput: () => void told.push('output'),
      onLeft: () => void told.push('left'),
    });
    expect(told).toEqual(['output', 'left']);
    expect(draft).toBeDefined();
  });

  it('is not made of one that failed', async () => {
    const told: string[] = [];
    const end = await step('touch /file; exit 3', { onLeft: () => void told.push('left') });
    expect(end).toMatchObject({ exitCode: 3 });
    expect([end.draft, told]).toEqual([undefined, []]);
  });

  it('is given up when the build is, also in the middle', async () => {
    const controller = new AbortController();
    const made = step('mkdir /many; cd /many; seq 20000 | xargs mkdir', {
      signal: controller.signal,
      onLeft: () => controller.abort(),
    });
    await expect(made).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
