import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { runCli, slipway, testHome } from './run-cli.ts';

const reason = whyNoBusyboxBase();

(reason === undefined ? describe : describe.skip)(`slipway builds${reason === undefined ? '' : ` (${reason})`}`, () => {
  let home: string;
  let context: string;
  let base: readonly string[];

  beforeAll(async () => {
    home = await testHome();
    base = await busyboxBase(join(home, 'busybox'));
    context = join(home, 'context');
    await mkdir(context);
    await writeFile(join(home, 'secret'), 'rosebud-1941\n');
  });

  const build = (lines: readonly string[], ...args: readonly string[]) =>
    runCli(['build', ...base, '-f', '-', ...args, context], { input: ['FROM busybox', ...lines].join('\n') });
  const list = async () => JSON.parse(await slipway(['builds', 'ls', '--json'])) as { id: string; state: string }[];

  it('remembers builds: what was asked for, what came of them, all that they wrote', async () => {
    await build(['RUN seq 1 3000'], '-t', 'good', '--build-arg', 'API_KEY=verysecret');
    const bad = await build(['RUN echo oh no && exit 3']);
    expect(bad.code).toBe(3);
    expect(await list()).toMatchObject([{ state: 'failed' }, { state: 'done' }]);
    const [failed, done] = await list();
    expect(await slipway(['builds', 'ls'])).toMatch(
      /^BUILD ID .*\n\w{12} +context +Error .*\n\w{12} +good:latest +Completed /,
    );
    expect(await slipway(['builds', 'ls', '-q', '--filter', 'status=error'])).toBe(`${failed?.id}\n`);
    expect(await slipway(['builds', 'inspect'])).toMatch(/Error: +process .*exit code: 3/);
    const inspected = await slipway(['builds', 'inspect', done?.id.slice(0, 11) ?? '']);
    expect(inspected).toContain('API_KEY=***');
    expect(inspected).not.toContain('verysecret');
    const log = await slipway(['builds', 'logs', done?.id ?? '']);
    expect(log.match(/^#\d+ \d+\.\d+ \d+$/gm)).toHaveLength(3000);
    const lines = (await slipway(['builds', 'logs', '--progress=json'])).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toContain('step-error');
    const page = join(home, 'page.html');
    await slipway(['builds', 'inspect', '--timeline', page]);
    expect(existsSync(page)).toBe(true);
  });

  it('keeps no secret, not even one that a step prints', async () => {
    const mount = '--mount=type=secret,id=s';
    const { stderr } = await build(
      [`RUN ${mount} cat /run/secrets/s && echo shown`],
      '--secret',
      `id=s,src=${join(home, 'secret')}`,
    );
    expect(stderr).toContain('rosebud-1941');
    const found = execFileSync('sh', ['-c', `grep -r rosebud-1941 ${join(home, 'store')} || echo none`]).toString();
    expect(found).toBe('none\n');
    expect(await slipway(['builds', 'logs'])).toMatch(/^#\d+ \d+\.\d+ \*\*\*\n#\d+ \d+\.\d+ shown$/m);
  });

  it('knows a build that was killed', async () => {
    const killed = runCli(['build', ...base, '-f', '-', context], {
      input: 'FROM busybox\nRUN sleep 60\n',
      onSpawn: (child) => {
        const folder = join(home, 'store', 'builds');
        const running = (): boolean => {
          const [newest = ''] = readdirSync(folder).sort().reverse();
          const log = join(folder, newest, 'log.jsonl');
          return existsSync(log) && readFileSync(log, 'utf8').includes('RUN sleep 60');
        };
        const wait = setInterval(() => {
          if (!running()) return;
          clearInterval(wait);
          child.kill('SIGKILL');
        }, 50);
      },
    });
    expect((await killed).signal).toBe('SIGKILL');
    expect(await slipway(['builds', 'ls'])).toMatch(/\n\w{12} +context +Interrupted /);
  });

  it('keeps digests of layers and of the manifest', async () => {
    await build(['RUN echo > /file'], '-o', `type=oci,dest=${join(home, 'out.tar')}`);
    const [record] = JSON.parse(await slipway(['builds', 'ls', '--json'])) as [
      { digest: string; steps: { digest?: string }[] },
    ];
    const digest = /^sha256:[0-9a-f]{64}$/;
    expect([record.digest, record.steps.flatMap((step) => step.digest ?? [])]).toEqual([
      expect.stringMatching(digest),
      [expect.stringMatching(digest)],
    ]);
  });

  it('keeps as many as SLIPWAY_HISTORY says', async () => {
    const env = { SLIPWAY_HISTORY: '2' };
    for (const name of ['a', 'b', 'c']) {
      await slipway(['build', '-q', ...base, '-t', name, '-f', '-', context], { input: 'FROM busybox\n', env });
    }
    await slipway(['build', '-q', ...base, '-t', 'd', '-f', '-', context], {
      input: 'FROM busybox\n',
      env: { SLIPWAY_HISTORY: '0' },
    });
    expect((await slipway(['builds', 'ls', '--format', '{{.Name}}'])).trim().split('\n')).toEqual([
      'c:latest',
      'b:latest',
    ]);
  });

  it('forgets one, and all', async () => {
    const [first] = await list();
    expect(await slipway(['builds', 'rm', first?.id ?? ''])).toBe(`${first?.id}\n`);
    expect(await list()).toHaveLength(1);
    await slipway(['builds', 'rm', '--all']);
    expect(await readdir(join(home, 'store', 'builds'))).toEqual([]);
    expect(await runCli(['builds', 'logs'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no such build'),
    });
    expect((await runCli(['builds', 'rm'])).code).toBe(125);
  });
});
