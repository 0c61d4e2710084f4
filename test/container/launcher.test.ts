import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { deathBound } from '../../src/container/launcher.ts';
import { openOutputPipe, startProcess } from '../../src/system/index.ts';

const room = new URL('../../src/', import.meta.url).href;

/** Never what is meant to run: the executable does in its place. */
const otherwise = ['/bin/false'];

async function launch(argv: Parameters<typeof deathBound>[0]): Promise<{ code: number | null; text: string }> {
  const [stdout, stderr] = [openOutputPipe(), openOutputPipe()];
  let text = '';
  for (const { stream } of [stdout, stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const stdio = ['nothing', stdout, stderr] as const;
  const { ended } = startProcess(otherwise, { stdio, newSession: true, executable: deathBound(argv) });
  return { code: (await ended).code, text };
}

const suite = deathBound(['/bin/true']) === undefined ? describe.skip : describe;

suite('a process bound to the thread that started it (skipped on unknown processors)', () => {
  it('is the program, with its arguments and an environment of PATH', async () => {
    const argv = ['/bin/sh', '-c', 'echo "$0 $1"; env | cut -d = -f 1 | grep -v -e PWD -e SHLVL -e ^_ | sort; exit 7'];
    const { code, text } = await launch([argv[0] ?? '', ...argv.slice(1), 'one', 'zwölf']);
    expect({ code, text }).toEqual({ code: 7, text: 'one zwölf\nLC_ALL\nPATH\n' });
  });

  it('tells when there is no such program', async () => {
    expect(await launch(['/no/such'])).toEqual({ code: 127, text: 'cannot start /no/such\n' });
  });

  it('is killed when its thread ends', async () => {
    const script = `
      const { deathBound } = await import('${room}container/launcher.ts');
      const { openOutputPipe, startProcess } = await import('${room}system/index.ts');
      const { parentPort } = await import('node:worker_threads');
      const executable = deathBound(['/bin/sleep', '1000']);
      const { pid } = startProcess(['/bin/false'], { stdio: ['nothing', openOutputPipe()], newSession: true, executable });
      parentPort.postMessage(pid);`;
    const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`));
    const [pid] = (await once(thread, 'message')) as [number];
    try {
      await until(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('sleep'));
    } finally {
      await thread.terminate();
    }
    await until(() => hasEnded(pid));
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 100 && !holds(); tries++) await delay(20);
  expect(holds()).toBe(true);
}

/** A zombie has: nobody asks how it ended. */
function hasEnded(pid: number): boolean {
  return !existsSync(`/proc/${pid}`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}
