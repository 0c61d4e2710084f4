import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { type OrdinaryUser, ordinaryUser, whyNoOrdinaryUser } from './ordinary-user.ts';
import { ownProgram } from './reachable-program.ts';
import { run, runCli, type RunOptions, type RunResult, slipway, testHome } from './run-cli.ts';

const reason = whyNoBusyboxBase();
const isolations = ['runc', 'sandbox'].filter((name) => name !== 'runc' || existsSync('/usr/sbin/runc'));

const dockerfile = `FROM busybox
ENV GREETING=hello
ARG KIND=plain
WORKDIR /work
RUN mkdir -p /home/app && echo 'app:x:1000:1000::/home/app:/bin/sh' > /etc/passwd && chown 1000 .
USER app
RUN --mount=type=bind,source=given,target=/given --mount=type=cache,target=/cache,uid=1000 --mount=type=secret,id=word,target=/word,mode=0444 \\
  echo half > done && echo cached > /cache/entry && exit 7
`;

(reason === undefined ? describe : describe.skip)(
  `a RUN that fails${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let home: string;
    let context: string;
    let base: readonly string[];

    beforeAll(async () => {
      home = await testHome();
      base = await busyboxBase(join(home, 'busybox'));
      context = join(home, 'context');
      await mkdir(context);
      await writeFile(join(context, 'Dockerfile'), dockerfile);
      await writeFile(join(context, 'given'), 'from the context\n');
      await writeFile(join(home, 'word'), 'a-secret-word\n');
    });

    const build = (args: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
      runCli(
        ['build', '--progress', 'plain', ...base, '--secret', `id=word,src=${join(home, 'word')}`, ...args, context],
        options,
      );
    /** What is left is the step's; kept ones are images. */
    const expectNothingLeft = async (): Promise<void> => expect(await leftovers(home)).toEqual([]);

    it('leaves nothing by default', async () => {
      const { code, stderr } = await build([]);
      expect({ code, kept: stderr.includes('debug shell') }).toEqual({ code: 7, kept: false });
      const log = /all output: slipway (builds logs \S+)/.exec(stderr)?.[1] ?? '';
      expect(await slipway(log.split(' '))).toContain('exit 7');
      await expectNothingLeft();
      expect(await slipway(['debug', 'ls', '-q'])).toBe('');
    });

    it.each(isolations)('%s: has a shell in its own state, and its end stays the build’s', async (isolation) => {
      const input =
        'pwd; cat done; echo $GREETING; id -u; cat /given /word /cache/entry; ls /sys/class/net; (echo more >> done) && cat done; exit 3\n';
      const { code, stdout, stderr } = await build(['--isolation', isolation, '--on-error=shell'], { input });
      expect(stdout.split('\n').slice(0, 8)).toEqual([
        '/work',
        'half',
        'hello',
        '1000',
        'from the context',
        'a-secret-word',
        'cached',
        existsSync('/usr/lib/podman/netavark') ? 'eth0' : expect.any(String),
      ]);
      expect(stdout).toContain('half\nmore\n');
      expect(code).toBe(7);
      expect(stderr).toContain('did not complete successfully: exit code: 7');
      await expectNothingLeft();
    });

    it.each(isolations)('%s: has a terminal with job control where there is one', async (isolation) => {
      const flags = [
        ...base,
        '--secret',
        `id=word,src=${join(home, 'word')}`,
        '--isolation',
        isolation,
        '--on-error=shell',
      ];
      const command = [ownProgram.node, ownProgram.launcher, 'build', '--progress', 'plain', ...flags, context];
      const words = command.map((word) => `'${word}'`).join(' ');
      // It reads when it is ready to; what is typed before waits in the terminal.
      const typed = 'echo "flags $-"; test -t 0 && echo "it is a terminal"; sleep 0.1 & fg; exit\n';
      const { stdout } = await run('/usr/bin/script', ['-qec', words, '/dev/null'], {
        input: `\n\n${typed}`,
        env: { PATH: process.env['PATH'], HOME: home, SLIPWAY_ROOT: join(home, 'store'), TERM: 'dumb' },
        timeout: 30_000,
      });
      expect(stdout).toMatch(/^flags \w*m\w*\r?$/m);
      expect(stdout).toMatch(/^it is a terminal\r?$/m);
      expect(stdout).toContain('exit code: 7');
      await expectNothingLeft();
    });

    it('says so before anything is done where a shell has no input', async () => {
      const { code, stderr } = await build(['--on-error=shell']);
      expect({ code, told: stderr.includes('--on-error=shell needs a terminal') }).toEqual({ code: 125, told: true });
      const shared = await runCli(['build', '--on-error=shell', '-'], { input: 'FROM scratch\n' });
      expect({ code: shared.code, told: shared.stderr.includes('needs standard input for itself') }).toEqual({
        code: 125,
        told: true,
      });
    });

    it('says where no shell can be opened', async () => {
      await writeFile(
        join(home, 'Bare'),
        'FROM scratch\nCOPY --from=busybox /bin/busybox /bin/false\nRUN ["/bin/false"]\n',
      );
      const { code, stderr } = await build(['-f', join(home, 'Bare'), '--on-error=shell'], { input: 'exit\n' });
      expect(code).not.toBe(0);
      expect(stderr).toContain('no shell could be opened');
    });

    it('is kept, listed, entered again and again, and removed', async () => {
      const { code, stderr } = await build(['--on-error=keep']);
      expect(code).toBe(7);
      const id = /slipway debug shell ([0-9a-f]{12})/.exec(stderr)?.[1] ?? '';
      await expectNothingLeft();
      const [row] = JSON.parse(await slipway(['debug', 'ls', '--json'])) as [Record<string, string>];
      expect(row).toMatchObject({ ID: id, ExitCode: '7', Step: expect.stringContaining('RUN --mount=type=bind') });
      for (const isolation of isolations) {
        const input = 'pwd; cat done; id -u; cat /cache/entry; touch mine; ls /given /word 2>/dev/null; exit 5\n';
        const shell = await runCli(['debug', 'shell', '--isolation', isolation, id], { input });
        expect({ code: shell.code, stdout: shell.stdout }).toEqual({ code: 5, stdout: '/work\nhalf\n1000\ncached\n' });
        expect(shell.stderr).toContain('the bind mount /given of the step is not there any more');
      }
      expect(await slipway(['debug', 'shell', id, 'ls', '/work'])).toBe('done\n');
      await expectNothingLeft();
      expect(await slipway(['debug', 'rm', id])).toBe(`${id}\n`);
      const gone = await runCli(['debug', 'shell', id, 'true']);
      expect({ code: gone.code, told: gone.stderr.includes(`no failed step is kept as ${id}`) }).toEqual({
        code: 1,
        told: true,
      });
      expect(await slipway(['images', '-q'])).toBe('');
    });

    it('that was kept is removed by prune', async () => {
      await build(['--on-error=keep']);
      expect(await slipway(['debug', 'ls', '-q'])).not.toBe('');
      await slipway(['prune', '--force']);
      expect(await slipway(['debug', 'ls', '-q'])).toBe('');
    });

    it('no secret is kept with it', async () => {
      await build(['--on-error=keep']);
      const found = await run('/usr/bin/grep', ['-rla', 'a-secret-word', join(home, 'store')]);
      expect(found.stdout).toBe('');
    });

    const noUser = whyNoOrdinaryUser();
    (noUser === undefined ? describe : describe.skip)(
      `as an ordinary user${noUser === undefined ? '' : ` (${noUser})`}`,
      () => {
        let user: OrdinaryUser;
        beforeAll(async () => {
          user = await ordinaryUser();
          await run('/bin/chmod', ['-R', 'a+rX', home]);
        });
        afterAll(async () => {
          await run('/bin/rm', ['-rf', `/var/tmp/slipway-test-${user.name}`]);
          await user.remove();
        });

        it('has its shell, and is kept', async () => {
          const env = { SLIPWAY_ROOT: `/var/tmp/slipway-test-${user.name}`, HOME: '/tmp' };
          const shell = await build(['--on-error=shell'], { user, env, input: 'cat done /cache/entry; id -u\n' });
          expect({ code: shell.code, stdout: shell.stdout }).toEqual({ code: 7, stdout: 'half\ncached\n1000\n' });
          await build(['--on-error=keep'], { user, env });
          const id = (await slipway(['debug', 'ls', '-q'], { user, env })).trim();
          expect(await slipway(['debug', 'shell', id, 'cat', 'done'], { user, env })).toBe('half\n');
        });
      },
    );
  },
);
