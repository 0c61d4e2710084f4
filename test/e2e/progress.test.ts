import { beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { obeyed } from '../ui/progress/runner.ts';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { runCli, testHome } from './run-cli.ts';

const reason = whyNoBusyboxBase();

(reason === undefined ? describe : describe.skip)(
  `progress of a build${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let home: string;
    let context: string;
    let base: readonly string[];

    beforeAll(async () => {
      home = await testHome();
      base = await busyboxBase(join(home, 'busybox'));
      context = join(home, 'repo', 'app');
      await mkdir(context, { recursive: true });
      await writeFile(
        join(context, 'Dockerfile'),
        [
          'FROM busybox',
          'RUN echo one && echo two >&2',
          'RUN echo "::add-mask::e" && echo "##[error]x" && exit 3',
        ].join('\n'),
      );
    });

    const build = (args: readonly string[], env: Record<string, string | undefined> = {}) =>
      runCli(['build', ...base, ...args, context], { env });

    it('is in the form of GitHub where it runs there, with nothing of a step obeyed', async () => {
      const summary = join(home, 'summary.md');
      const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: join(home, 'repo'), GITHUB_STEP_SUMMARY: summary };
      const { code, stderr } = await build([], env);
      expect(code).toBe(3);
      const { commands, stopped } = obeyed(stderr);
      expect(stopped).toBe(false);
      expect(commands.filter((command) => !/^::(end)?group::/.test(command))).toEqual([
        expect.stringMatching(
          /^::error file=app\/Dockerfile,line=3,endLine=3,title=\[3\/3\] RUN .*did not complete successfully: exit code: 3%0A::add-mask::e/,
        ),
      ]);
      expect(stderr).toContain('::add-mask::e\n');
      expect(await readFile(summary, 'utf8')).toContain('❌ failed');
    });

    it.each([
      [['--progress=plain'], { GITHUB_ACTIONS: 'true' }, /^#1 \[internal\]/m],
      [[], { BUILDKIT_PROGRESS: 'rawjson' }, /^\{"v":1,"time":\d+,"type":"step-start"/m],
      [[], { BUILDKIT_PROGRESS: 'rawjson', SLIPWAY_PROGRESS: 'plain' }, /^#1 \[internal\]/m],
      [[], { BUILDKIT_PROGRESS: 'no such word' }, /^#1 \[internal\]/m],
      [[], { GITLAB_CI: 'true' }, /^.{4}section_start:\d+:slipway_\w+\[collapsed=true\]\r/m],
    ])('with %j and %j looks like %s', async (args, env, shown) => {
      expect((await build(args, env)).stderr).toMatch(shown);
    });

    it('is JSON, every line of it, also when the build fails', async () => {
      const { code, stderr } = await build(['--progress=json', '--explain']);
      const lines = stderr.split('\n').filter((line) => line.startsWith('{'));
      const events = lines.map((line) => JSON.parse(line) as { v: number; type: string; outcome?: string });
      expect(code).toBe(3);
      expect(events.every(({ v }) => v === 1)).toBe(true);
      expect(events.at(-1)).toMatchObject({ type: 'summary', outcome: 'failed', counts: { error: 1 } });
    });

    it('sums the build up where that is wanted, on standard error alone', async () => {
      const good = await runCli(['build', ...base, '--summary', '-f', '-', context], {
        input: 'FROM busybox\nRUN echo > /x\n',
      });
      expect(good.stdout).toBe('');
      expect(good.stderr).toMatch(/^\d+ steps in \d+\.\ds: .*\n +TIME +SIZE +STEP\n/m);
      const quiet = await runCli(['build', ...base, '-q', '--summary', '-f', '-', context], {
        input: 'FROM busybox\n',
      });
      expect([quiet.code, quiet.stderr]).toEqual([0, '']);
    });
  },
);
