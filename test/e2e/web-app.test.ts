import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chmod, chown, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DebianRegistry, debianRegistry } from '../registry/debian-registry.ts';
import { debianBase, webAppContext, whyNoDebianBase } from './debian-base.ts';
import { leftovers } from './leftovers.ts';
import { run, runCli, slipway, testHome } from './run-cli.ts';
import { ordinaryUser, whyNoOrdinaryUser } from './ordinary-user.ts';

const reason = whyNoDebianBase();

/** `-rwxr-xr-x 0/0 12 ./path -> target` for every entry, sorted: the whole tree but for times. */
async function listTar(path: string): Promise<string[]> {
  const { stdout, code, stderr } = await run('tar', ['--numeric-owner', '--full-time', '-tvf', path], {
    env: { LC_ALL: 'C', PATH: process.env['PATH'] },
  });
  if (code !== 0) throw new Error(stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^(\S+ +\S+ +\S+) +\S+ \S+ /, '$1 '))
    .filter((line) => !volatile.test(line))
    .sort();
}

/** Files in which programs write the time of day: their sizes may differ. */
const volatile = /\.\/?var\/(log|cache\/ldconfig)\/|var\/(log|cache\/ldconfig)\//;

(reason === undefined ? describe : describe.skip)(
  `a web application on Debian${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let registry: DebianRegistry;
    let context: string;
    let base: string;
    const trees: Record<string, string[]> = {};
    /** Ids of the same builds: they are asked to be reproducible. */
    const ids: Record<string, string> = {};

    beforeAll(async () => {
      const debian = await debianBase();
      const home = await testHome();
      await chmod(home, 0o755);
      registry = await debianRegistry();
      context = await webAppContext(debian, join(home, 'context'));
      base = `${registry.host}/debian:bookworm`;
      await slipway(['import', debian.rootfs, base]);
      await slipway(['push', base]);
    }, 300_000);

    afterAll(async () => {
      await registry?.close();
    });

    const build = (extra: readonly string[]) => [
      'build',
      '--progress',
      'plain',
      '--build-arg',
      `BASE=${base}`,
      ...extra,
      context,
    ];

    it('builds the same tree as root with runc and in the sandbox', async () => {
      const home = await testHome();
      for (const isolation of ['runc', 'sandbox']) {
        const tar = join(home, `${isolation}.tar`);
        const iidfile = join(home, `${isolation}.id`);
        const output = ['-o', `type=tar,dest=${tar}`, '--iidfile', iidfile, '--no-cache', '--reproducible'];
        await slipway(build(['--isolation', isolation, '-t', `web-app:${isolation}`, ...output]), { timeout: 300_000 });
        trees[isolation] = await listTar(tar);
        ids[isolation] = await readFile(iidfile, 'utf8');
      }
      expect(trees['sandbox']).toEqual(trees['runc']);
      expect(ids['sandbox']).toBe(ids['runc']);
      const tree = (trees['runc'] ?? []).join('\n');
      expect(tree).toMatch(/-rwsr-xr-x 0\/0 +\d+ \.?\/?usr\/bin\/env$/m);
      expect(tree).toMatch(/prw-r--r-- 0\/0 +0 \.?\/?srv\/pipe$/m);
      expect(tree).toMatch(/-rw-r--r-- 1500\/1500 +\d+ \.?\/?srv\/app\/node_modules\/package-99\/file-4999\.js$/m);
      expect(tree).toMatch(/drwxr-s--- 1500\/1500 +0 \.?\/?srv\/app\/node_modules\/package-1\/$/m);
      expect(tree).toMatch(/srv\/app\/public\/keep\.log$/m);
      expect(tree).not.toMatch(/srv\/app\/(noise\.log|secrets)|tmp\/debs/);
    }, 600_000);

    const noUser = whyNoOrdinaryUser();
    const name = `builds that tree as an ordinary user too${noUser === undefined ? '' : ` (${noUser})`}`;
    (noUser === undefined ? it : it.skip)(
      name,
      async () => {
        const user = await ordinaryUser();
        try {
          const own = join(await testHome(), 'user');
          await mkdir(own);
          await chown(own, user.uid, user.gid);
          const tar = join(own, 'user.tar');
          const iidfile = join(own, 'user.id');
          const options = {
            user,
            env: { HOME: own, SLIPWAY_ROOT: join(own, 'store'), USER: user.name },
            timeout: 300_000,
          };
          await slipway(
            build(['-t', 'web-app', '-o', `type=tar,dest=${tar}`, '--iidfile', iidfile, '--reproducible']),
            options,
          );
          expect(await readFile(iidfile, 'utf8')).toBe(ids['runc']);
          // The kernel lets no ordinary user make device nodes; the image keeps the base's, in a layer whose bytes are untouched.
          const withoutDevices = trees['runc']?.filter((line) => !/^c\S+ 0\/0 +\d+,\d+ dev\//.test(line));
          expect(await listTar(tar)).toEqual(withoutDevices);
          const inDev = await slipway(['layers', 'web-app', '/dev', '--files'], options);
          expect(inDev).toMatch(/crw-rw-rw- +0:0 +1,3 +\S+ \S+ +\/dev\/null$/m);
          await slipway(['prune', '--all', '--force'], options);
        } finally {
          await user.remove();
        }
      },
      600_000,
    );

    it('finds every step in the cache the next time, and makes the same image', async () => {
      const iidfile = join(await testHome(), 'iid');
      const { code, stderr } = await runCli(build(['-t', 'web-app:cached', '--iidfile', iidfile, '--reproducible']));
      expect(code === 0 ? '' : stderr).toBe('');
      expect(await readFile(iidfile, 'utf8')).toBe(ids['sandbox']);
      const steps = stderr.split('\n').filter((line) => /^#\d+ \[.*\d+\/\d+\] (RUN|COPY|WORKDIR)/.test(line));
      expect(steps.length).toBeGreaterThan(10);
      for (const line of steps) {
        const number = line.split(' ')[0];
        expect(stderr).toContain(`${number} CACHED`);
      }
    }, 300_000);

    it('keeps the config that the Dockerfile describes', async () => {
      const [image] = JSON.parse(await slipway(['inspect', 'web-app:cached'])) as [{ Config: Record<string, unknown> }];
      expect(image.Config).toMatchObject({
        User: 'web',
        ExposedPorts: { '8080/tcp': {} },
        Entrypoint: ['node'],
        Cmd: ['src/server.js'],
        WorkingDir: '/srv/app',
        Labels: { 'org.opencontainers.image.title': 'web-app' },
        Healthcheck: { Test: ['CMD', 'node', 'src/check.js'], Interval: 30_000_000_000, Timeout: 3_000_000_000 },
      });
      expect(image.Config['Env']).toContain('PORT=8080');
    });

    it('says which layer put which file there', async () => {
      const rows = JSON.parse(await slipway(['layers', 'web-app:cached', '/srv', '--json'])) as {
        path: string;
        layer: number;
      }[];
      const layers = JSON.parse(await slipway(['layers', 'web-app:cached', '--json'])) as {
        index: number;
        createdBy: string;
      }[];
      const report = rows.find((row) => row.path === 'srv/report');
      expect(layers.find((layer) => layer.index === report?.layer)?.createdBy).toContain(
        'COPY /tmp/report /srv/report',
      );
    });

    it('keeps its digest over save, load, push and pull', async () => {
      const home = await testHome();
      const name = `${registry.host}/web-app:digest`;
      await slipway(['tag', 'web-app:cached', name]);
      const digest = /digest: (sha256:[0-9a-f]{64})/.exec(await slipway(['push', name]))?.[1];
      expect(digest).toBeDefined();
      const archive = join(home, 'saved.tar');
      await slipway(['save', '-o', archive, name]);
      const other = { env: { SLIPWAY_ROOT: join(home, 'other') } };
      expect(await slipway(['load', '-i', archive], other)).toContain(`Loaded image: ${name}`);
      expect(await slipway(['push', name], other)).toContain(`digest: ${digest}`);
      const third = { env: { SLIPWAY_ROOT: join(home, 'third') } };
      expect(await slipway(['pull', name], third)).toContain(`Digest: ${digest}`);
      expect(await slipway(['push', name], third)).toContain(`digest: ${digest}`);
      for (const store of ['other', 'third']) await rm(join(home, store), { recursive: true, force: true });
    }, 300_000);

    it('leaves nothing behind', async () => {
      expect(await leftovers(await testHome())).toEqual([]);
    });
  },
);
