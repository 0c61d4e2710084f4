import { createHash, randomBytes } from 'node:crypto';
import { existsSync, globSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { file, tar } from '../layer/tar-builder.ts';
import type { ScriptedServer } from '../registry/scripted-server.ts';
import { busyboxBase } from './busybox-base.ts';
import { interrupted, killTimes, randomNumbers } from './kill-points.ts';
import { leftovers } from './leftovers.ts';
import { makeImage, serveImage } from './made-image.ts';
import { ordinaryUser, whyNoOrdinaryUser } from './ordinary-user.ts';
import { processOf } from './process-of.ts';
import { run, runCli, type RunResult, slipway, testHome } from './run-cli.ts';

const isRoot = process.getuid?.() === 0;
const isolations = ['runc', 'sandbox'].filter((name) => name !== 'runc' || existsSync('/usr/sbin/runc'));
/** More for a search of hours: `SLIPWAY_TEST_ROUNDS`. */
const rounds = Number(process.env['SLIPWAY_TEST_ROUNDS'] ?? 10);

/** Steps that write, wait, leave children behind and change their user. ROUND keeps the cache from knowing them. */
const dockerfile = `FROM busybox
ARG ROUND
COPY data /data
RUN mkdir /made && for i in $(seq 300); do echo $i >/made/$i; done
RUN (setsid sleep 1000 >/dev/null 2>&1 &); sleep 0.15; dd if=/dev/zero of=/big bs=1M count=4 2>/dev/null
USER nobody
RUN (sleep 1000 &); sleep 0.2; echo $(id -u) >/tmp/who
USER root
RUN rm -r /made/1* && ln -s /big /link && sleep 0.05
COPY more /more
`;

/** Modes, owners, sizes and names of a tar, and a digest of all content. */
async function treeOf(archive: string): Promise<string[]> {
  const list = await run('tar', ['--numeric-owner', '-tvf', archive], {
    env: { LC_ALL: 'C', PATH: process.env['PATH'] },
  });
  const content = createHash('sha256');
  const extracted = await run('sh', ['-c', 'tar -xOf "$1" | sha256sum', 'sh', archive]);
  content.update(extracted.stdout);
  const lines = list.stdout.trimEnd().split('\n');
  return [...lines.map((line) => line.replace(/ \d{4}-\d\d-\d\d \d\d:\d\d /, ' ')), content.digest('hex')];
}

(isRoot ? describe : describe.skip)(`a command that is killed${isRoot ? '' : ' (needs root)'}`, () => {
  let home: string;
  let build: readonly string[];

  beforeAll(async () => {
    home = await testHome();
    const context = join(home, 'context');
    await mkdir(join(context, 'data'), { recursive: true });
    await writeFile(join(context, 'Dockerfile'), dockerfile);
    for (let i = 0; i < 50; i++) await writeFile(join(context, 'data', `file-${i}`), `${i}`.repeat(1000));
    await writeFile(join(context, 'more'), randomBytes(1 << 20));
    build = ['build', ...(await busyboxBase(join(home, 'busybox'))), context];
  });

  /** Nothing is left, and what the kernel or a detached sync still ends is gone soon. */
  async function expectNothingLeft(lanes: readonly string[] = [], where = home): Promise<void> {
    for (let wait = 1; (await leftovers(where)).length > 0 && wait < 4000; wait *= 2) await delay(wait);
    expect(await leftovers(where)).toEqual([]);
    expect(lanes.flatMap((lane) => globSync(`/sys/fs/cgroup/**/${lane}*`))).toEqual([]);
  }

  /** Stopped with a word; or the work was done by then, or had not begun, so that nothing was there to stop. */
  async function expectInterrupted(result: RunResult, [name, code]: readonly [string, number]): Promise<void> {
    if (result.signal === name) await slipway(['images']);
    else if (result.code !== 0) {
      expect(result).toMatchObject({ code, signal: null });
      expect(result.stderr).toMatch(/(^|\n)interrupted\n$|exporting to image\n#\d+ DONE \d+\.\ds\n/);
    }
  }

  /** Once the step's process is there. */
  async function interruptTwice(child: { kill(signal: NodeJS.Signals): boolean }, step: string): Promise<void> {
    await processOf(step);
    child.kill('SIGINT');
    await delay(1);
    child.kill('SIGINT');
  }

  const lanesNow = (): readonly string[] => readdirSync(join(home, 'store', 'containers'));

  describe.each(isolations)('in a build with %s', (isolation) => {
    let expected: string[];
    let length: number;
    const arguments_ = (round: string, extra: readonly string[] = []) => {
      return [...build, '--isolation', isolation, '--build-arg', `ROUND=${isolation}-${round}`, ...extra];
    };

    beforeAll(async () => {
      const archive = join(home, 'undisturbed.tar');
      const began = Date.now();
      await slipway(arguments_('undisturbed', ['-o', `type=tar,dest=${archive}`]));
      length = Date.now() - began;
      expected = await treeOf(archive);
      expect(expected.join('\n')).toMatch(/ 65534\/65534 +6 tmp\/who$/m);
    });

    it(
      `leaves nothing after the next command, and the build repeated is right, ${rounds} times`,
      async () => {
        await killTimes(rounds, { stream: isolation.length, length }, async (after, round) => {
          const name = ['-t', `killed:${isolation}-${round}`];
          const { signal } = await interrupted(arguments_(`${round}`, name), [['SIGKILL', after]]);
          const lanes = lanesNow();
          if (round % 2 === 0) {
            await slipway(['images']);
            await expectNothingLeft(lanes);
          }
          const archive = join(home, 'repeated.tar');
          await slipway(arguments_(`${round}`, [...name, '-o', `type=tar,dest=${archive}`]));
          await expectNothingLeft(lanes);
          expect(await treeOf(archive)).toEqual(expected);
          return signal === 'SIGKILL' ? 'killed' : 'finished';
        });
      },
      rounds * 12_000,
    );

    it.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)(
      'stops cleanly at %s with %i',
      async (name, code) => {
        const random = randomNumbers(code);
        for (const round of [0, 1, 2]) {
          const after = 200 + Math.round((length - 300) * random());
          const result = await interrupted(arguments_(`${name}-${round}`), [[name, after]]);
          await expectInterrupted(result, [name, code]);
          await expectNothingLeft();
        }
      },
      60_000,
    );

    it('stops at once at a second SIGINT, and the next command clears up', async () => {
      const marker = `${1000 + isolation.length}.${process.pid}`;
      const context = join(home, 'long');
      await mkdir(context, { recursive: true });
      await writeFile(join(context, 'Dockerfile'), `FROM busybox\nRUN trap "" INT TERM; sleep ${marker}\n`);
      const result = await runCli([...build.slice(0, -1), '--isolation', isolation, context], {
        timeout: 20_000,
        onSpawn: (child) => void interruptTwice(child, `sleep ${marker}`),
      });
      expect(result).toMatchObject({ code: 130, signal: null });
      const lanes = lanesNow();
      await slipway(['images']);
      await expectNothingLeft(lanes);
    });
  });

  const noUser = whyNoOrdinaryUser();
  const rootless = noUser === undefined ? it : it.skip;
  rootless.each(isolations)(
    `leaves nothing of an ordinary user’s build with %s${noUser === undefined ? '' : ` (${noUser})`}`,
    async (isolation) => {
      const user = await ordinaryUser();
      const own = join(home, `user-${isolation}`);
      try {
        await mkdir(own);
        await chown(own, user.uid, user.gid);
        await chmod(home, 0o755);
        const marker = `${1100 + isolation.length}.${process.pid}`;
        const context = join(own, 'context');
        await mkdir(context);
        await writeFile(
          join(context, 'Dockerfile'),
          `FROM busybox\nUSER nobody\nRUN (sleep 1000 &); sleep ${marker}\n`,
        );
        const options = { user, env: { HOME: own, SLIPWAY_ROOT: join(own, 'store'), USER: user.name } };
        const result = await runCli([...build.slice(0, -1), '--isolation', isolation, context], {
          ...options,
          onSpawn: (child) => void processOf(`sleep ${marker}`).then(() => child.kill('SIGKILL')),
        });
        expect(result.signal).toBe('SIGKILL');
        await slipway(['images'], options);
        // Files of other ids are put in the trash, for a command that enters the user namespace.
        expect((await leftovers(own)).filter((each) => !each.startsWith('snapshots/.trash/'))).toEqual([]);
        await slipway(['prune', '--force'], options);
        await expectNothingLeft([], own);
      } finally {
        await user.remove();
      }
    },
  );

  describe('in a pull', () => {
    const contents = Array.from({ length: 6 }, () => randomBytes(1 << 20));
    const image = makeImage(contents.map((content, index) => tar({ ...file(`layer-${index}`), content })));
    let server: ScriptedServer;
    let name: string;
    let length: number;

    /** About 8 MB/s for each layer. */
    beforeAll(async () => {
      server = await serveImage(image, async (response, content) => {
        response.writeHead(200, { 'content-length': content.length });
        for (let at = 0; at < content.length && !response.destroyed; at += 1 << 16) {
          response.write(content.subarray(at, at + (1 << 16)));
          await delay(8);
        }
        response.end();
      });
      name = `${server.host}/throttled:1`;
      const began = Date.now();
      expect(await slipway(['pull', name])).toContain(`Digest: ${image.manifest.digest}\n`);
      length = Date.now() - began;
      await forget();
    });

    afterAll(() => server?.close());

    async function forget(): Promise<void> {
      await slipway(['rmi', name]);
      await slipway(['prune', '--force']);
    }

    it(
      `leaves nothing after the next command, and the pull repeated gives the same digest, ${rounds} times`,
      async () => {
        await killTimes(rounds, { stream: 3, length }, async (after, round) => {
          const { signal } = await interrupted(['pull', name], [['SIGKILL', after]]);
          if (round % 2 === 0) {
            await slipway(['images']);
            await expectNothingLeft();
          }
          expect(await slipway(['pull', name])).toContain(`Digest: ${image.manifest.digest}\n`);
          await expectNothingLeft();
          const archive = join(home, 'saved.tar');
          await slipway(['save', '-o', archive, name]);
          const index = await run('tar', ['-xOf', archive, 'index.json']);
          expect(index.stdout).toContain(image.manifest.digest);
          await rm(archive);
          await forget();
          return signal === 'SIGKILL' ? 'killed' : 'finished';
        });
      },
      rounds * 12_000,
    );

    it.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)('stops cleanly at %s with %i', async (signal, code) => {
      const result = await interrupted(['pull', name], [[signal, length / 2]]);
      await expectInterrupted(result, [signal, code]);
      await expectNothingLeft();
      if (result.code !== 0) expect((await runCli(['inspect', name])).code).toBe(1);
    });
  });
});
