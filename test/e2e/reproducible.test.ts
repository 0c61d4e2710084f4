import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { type OrdinaryUser, ordinaryUser, whyNoOrdinaryUser } from './ordinary-user.ts';
import { ourRegistry, type OurRegistry } from './our-registry.ts';
import { runCli, type RunOptions, slipway, testHome } from './run-cli.ts';

const reason = whyNoBusyboxBase();
const rootless = whyNoOrdinaryUser();

const dockerfile = [
  'FROM busybox AS build',
  'COPY src /src',
  'RUN mkdir /out && cat /src/* > /out/all && ln /out/all /out/again && mkfifo /out/pipe && chown -R 3:4 /out',
  'RUN --mount=type=bind,source=src,target=/mnt cp -p /mnt/a /kept',
  'FROM busybox',
  'WORKDIR /w/x',
  'COPY --from=build /out /out',
  'COPY --from=build /kept /kept',
  'COPY <<EOF /doc',
  'text',
  'EOF',
  'ADD archive.tar /unpacked/',
  'RUN env > /env && echo "$(id -u) $(hostname)" >> /env && rm /doc && touch /made',
  'USER 7:8',
  'RUN touch /tmp/mine',
  'CMD ["sh"]',
].join('\n');

/** All files of a clone get this time and, from a umask, their modes: as a checkout would. */
function asCheckedOut(folder: string, seconds: number, umask: number): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    const isFolder = !name.includes('.') && readdirSync(folder).includes(name);
    chmodSync(path, (isFolder ? 0o777 : 0o666) & ~umask);
    utimesSync(path, seconds, seconds);
  }
}

(reason === undefined ? describe : describe.skip)(
  `a build made reproducible${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let home: string;
    let base: readonly string[];
    let user: OrdinaryUser | undefined;
    let expected: string;

    beforeAll(async () => {
      home = await testHome();
      base = await busyboxBase(join(home, 'busybox'));
      mkdirSync(join(home, 'one', 'src'), { recursive: true });
      for (const name of ['a', 'b']) writeFileSync(join(home, 'one', 'src', name), `${name}\n`);
      writeFileSync(join(home, 'one', 'Dockerfile'), dockerfile);
      execFileSync('tar', [
        '-C',
        join(home, 'one'),
        '--mtime=@1000',
        '--owner=5',
        '-cf',
        join(home, 'one', 'archive.tar'),
        'src',
      ]);
      cpSync(join(home, 'one'), join(home, 'elsewhere', 'two'), { recursive: true });
      asCheckedOut(join(home, 'one'), 1_700_000_000, 0o022);
      asCheckedOut(join(home, 'elsewhere', 'two'), 1_750_000_000, 0o077);
      expected = await build('one', 'first', []);
      if (rootless === undefined) user = await ordinaryUser();
    });

    afterAll(() => user?.remove());

    /** Builds in a store of its own; the image's id. */
    async function build(context: string, store: string, flags: readonly string[], options: RunOptions = {}) {
      const env = { SLIPWAY_ROOT: join(home, 'stores', store), ...options.env };
      const all = ['build', '-q', ...base, '--reproducible', '--context-modes=git', ...flags, join(home, context)];
      return slipway(all, { ...options, env });
    }

    it.each<readonly [where: string, flags: readonly string[], env: Record<string, string>]>([
      ['in another folder, checked out later under another umask', [], {}],
      ['in the sandbox', ['--isolation=sandbox', '--network=host'], {}],
      ['without overlays', [], { SLIPWAY_SNAPSHOTTER: 'copy' }],
      ['without the cache, one step at a time', ['--no-cache', '--max-parallelism=1'], {}],
    ])(
      'gives the same image %s',
      async (where, flags, env) => {
        expect(await build('elsewhere/two', where.replaceAll(/\W/g, ''), flags, { env })).toBe(expected);
      },
      60_000,
    );

    (rootless === undefined ? it : it.skip)(
      `gives the same image to an ordinary user${rootless === undefined ? '' : ` (${rootless})`}`,
      async () => {
        const { uid = 0, gid = 0 } = user ?? {};
        const store = join(home, 'stores', 'rootless');
        mkdirSync(store, { recursive: true });
        for (const path of [store, join(home, 'one')]) chownSync(path, uid, gid);
        for (const path of [home, join(home, 'stores')]) chmodSync(path, 0o755);
        expect(await build('one', 'rootless', [], { user: { uid, gid } })).toBe(expected);
      },
    );

    it('says of everything that it was made when SOURCE_DATE_EPOCH says', async () => {
      const env = { SOURCE_DATE_EPOCH: '1234567890' };
      const archive = join(home, 'epoch.tar');
      const id = await build('one', 'first', ['-o', `type=tar,dest=${archive}`], { env });
      expect(id).not.toBe(expected);
      const [image] = JSON.parse(
        await slipway(['build', '-q', ...base, '-t', 'epoch', join(home, 'one')], { env }).then(() =>
          slipway(['inspect', 'epoch']),
        ),
      ) as [{ Created: string }];
      expect(image.Created).toBe('2009-02-13T23:31:30Z');
      const listed = execFileSync('tar', ['--utc', '--full-time', '-tvf', archive], { encoding: 'utf8' });
      const later = listed
        .split('\n')
        .filter((line) => /(\d{4})-\d\d-\d\d/.exec(line)?.[1] !== undefined && !/ (19|200)\d/.test(line));
      expect(later).toEqual([]);
      expect(execFileSync('tar', ['-xOf', archive, 'env'], { encoding: 'utf8' })).toContain(
        'SOURCE_DATE_EPOCH=1234567890\n',
      );
    });

    it('is proved by building it twice', async () => {
      const result = await runCli(['build', ...base, '--progress=plain', '--verify-reproducible', join(home, 'one')]);
      expect([result.code, result.stderr]).toEqual([0, expect.stringContaining('this build is reproducible')]);
    });

    it('that is none is refused with exactly the files that differ, and leaves no output', async () => {
      const text =
        'FROM busybox\nRUN echo same > /same; head -c 9 /dev/urandom > /chance; head -c 9 /dev/urandom > /other\n';
      const archive = join(home, 'none.tar');
      const output = ['-o', `type=oci,dest=${archive}`, '-f', '-'];
      const args = ['build', '-q', ...base, '--verify-reproducible', ...output, join(home, 'one')];
      const { code, stderr } = await runCli(args, { input: text });
      expect(code).toBe(1);
      const lines = stderr.split('\n').filter((line) => line.startsWith('  /'));
      expect(lines).toEqual(['  /chance: its content differs', '  /other: its content differs']);
      expect(() => readFileSync(archive)).toThrow('ENOENT');
    });

    it('tells later why its steps were done', async () => {
      await slipway(['build', '-q', ...base, join(home, 'one')]);
      writeFileSync(join(home, 'one', 'src', 'b'), 'changed\n');
      await slipway(['build', '-q', ...base, '-t', 'asked', join(home, 'one')]);
      const steps = JSON.parse(await slipway(['why', 'asked', 'COPY src', '--json'])) as {
        steps: { number: number; outcome: string; reasons: { part: string; name?: string }[] }[];
      };
      expect(
        steps.steps.map(({ outcome, reasons }) => [outcome, reasons.map(({ part, name }) => [part, name])]),
      ).toEqual([['done', [['source', 'src/b']]]]);
      expect(await slipway(['why', 'asked', 'RUN mkdir'])).toMatch(
        /- the result of \[build 2\/4\] COPY src \/src changed/,
      );
      expect((await runCli(['why', 'asked', '99'])).stderr).toMatch(/no step of that build is "99"/);
    });
  },
);

(reason === undefined ? describe : describe.skip)(`a locked build${reason === undefined ? '' : ` (${reason})`}`, () => {
  let home: string;
  let registry: OurRegistry;
  let name: string;

  beforeAll(async () => {
    home = await testHome();
    await busyboxBase(join(home, 'base'));
    registry = await ourRegistry(home);
    name = `${registry.host}/base:1`;
    await slipway(['copy', `oci:${home}/base`, `docker://${name}`]);
    mkdirSync(join(home, 'locked'));
    writeFileSync(join(home, 'locked', 'Dockerfile'), `FROM ${name}\nRUN true\n`);
  });

  afterAll(() => registry?.close());

  const build = () => runCli(['build', '-q', '--locked', join(home, 'locked')]);
  const lock = (...flags: readonly string[]) => runCli(['lock', ...flags, join(home, 'locked')]);

  it('needs a lock file, which keeps what it says until it is told to move', async () => {
    expect((await build()).stderr).toMatch(/there is no lock file .*slipway\.lock\.json/);
    expect((await lock()).stdout).toMatch(
      new RegExp(`^docker-image://${name}\n {2}\\+ docker-image://${name}@sha256:`),
    );
    expect((await build()).code).toBe(0);
    const other = 'FROM scratch\nCOPY Dockerfile /other\n';
    await slipway(['build', '-q', '--push', '-t', name, '-f', '-', join(home, 'locked')], { input: other });
    expect((await lock()).stdout).toMatch(/is up to date/);
    // What the name means now has no shell.
    expect((await build()).code).toBe(0);
    expect(await lock('--update', '--check')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/\n {2}- .*\n {2}\+ /),
    });
    expect((await lock('--update')).code).toBe(0);
    expect((await build()).code).not.toBe(0);
  });

  it('refuses what the lock file does not have', async () => {
    writeFileSync(join(home, 'locked', 'Dockerfile'), `FROM ${registry.host}/base:2\n`);
    expect((await build()).stderr).toMatch(/base:2 is not in the lock file/);
  });

  it('may be denied by a policy', async () => {
    const policy = join(home, 'policy.json');
    writeFileSync(
      policy,
      JSON.stringify({ rules: [{ action: 'DENY', selector: { identifier: `docker-image://${registry.host}/*` } }] }),
    );
    const { code, stderr } = await runCli(['build', '-q', '--source-policy-file', policy, join(home, 'locked')]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('the source policy denies docker-image://')]);
  });
});
