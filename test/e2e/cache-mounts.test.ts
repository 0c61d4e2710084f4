import { beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { processOf } from './process-of.ts';
import { runCli, type RunOptions, type RunResult, slipway, testHome } from './run-cli.ts';

const reason = whyNoBusyboxBase();
const isolation = existsSync('/usr/sbin/runc') ? 'runc' : 'sandbox';

interface Listed {
  readonly name: string;
  readonly id: string;
  readonly origin: string;
  readonly size: number;
  readonly inUse: boolean;
}

(reason === undefined ? describe : describe.skip)('cache mounts', () => {
  let home: string;
  let context: string;
  let base: readonly string[];

  beforeAll(async () => {
    home = await testHome();
    base = await busyboxBase(join(home, 'busybox'));
    context = join(home, 'context');
    await mkdir(join(context, 'seed', 'deep'), { recursive: true });
    await writeFile(join(context, 'seed', 'deep', 'file'), 'one\n');
  });

  const build = (
    lines: readonly string[],
    more: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<RunResult> =>
    runCli(['build', '--isolation', isolation, '--progress', 'plain', ...base, '-f', '-', ...more, context], {
      input: `FROM busybox\n${lines.join('\n')}\n`,
      ...options,
    });
  const succeed = async (...args: Parameters<typeof build>): Promise<string> => {
    const { code, stderr } = await build(...args);
    if (code !== 0) throw new Error(stderr);
    return stderr;
  };
  const list = async (env = {}): Promise<readonly Listed[]> =>
    JSON.parse(await slipway(['cache-mounts', 'ls', '--json'], { env })) as Listed[];

  it('stay between builds, and another id or another way of sharing repeats no step', async () => {
    const run = (mount: string, script: string) => `RUN --mount=type=cache,target=/c${mount} ${script}`;
    await succeed([run('', 'echo kept >/c/file')]);
    expect(await succeed([run('', 'cat /c/file')])).toContain(' kept\n');
    const step = 'cat /proc/sys/kernel/random/uuid >/id';
    const id = async (mount: string): Promise<string> => {
      await succeed([run(mount, step)], ['--iidfile', join(home, 'iid')]);
      return readFile(join(home, 'iid'), 'utf8');
    };
    expect(await id(',id=other,sharing=locked')).toBe(await id(''));
    expect(await id(',ro')).not.toBe(await id(''));
  });

  it('have an owner and a mode, and are read-only where that is said', async () => {
    const said = await succeed([
      'RUN --mount=type=cache,target=/o,id=owned,uid=1000,gid=1001,mode=0710 stat -c "%a %u:%g" /o',
      'RUN --mount=type=cache,target=/o,id=owned,ro touch /o/x 2>/dev/null || echo read-only; stat -c "%a %u:%g" /o',
      'USER 1000:1001',
      'RUN --mount=type=cache,target=/o,id=owned,uid=1000,gid=1001,mode=0710 touch /o/mine && ls /o',
    ]);
    expect(said).toMatch(/710 1000:1001\n.*read-only\n.*755 0:0\n.* mine\n/s);
  });

  it('begin with a copy of a tree, once for each content', async () => {
    const lines = [
      'RUN --mount=type=cache,target=/s,from=seeds,source=/deep,id=seeded cat /s/file; echo more >>/s/file',
    ];
    const more = ['--build-context', `seeds=${join(context, 'seed')}`];
    expect(await succeed(lines, more)).toMatch(/ one\n/);
    expect(await succeed(lines, [...more, '--no-cache'])).toMatch(/ one\n.* more\n/);
    await writeFile(join(context, 'seed', 'deep', 'file'), 'two\n');
    const changed = await succeed(lines, more); // no --no-cache: what it begins with counts
    expect(changed).toMatch(/ two\n/);
    expect(changed).not.toMatch(/ one\n/);
    expect(await readFile(join(context, 'seed', 'deep', 'file'), 'utf8')).toBe('two\n');
    const stage = [
      'RUN true',
      'FROM busybox AS first',
      'RUN mkdir /made && echo made >/made/file',
      'FROM busybox',
      'RUN --mount=type=cache,target=/s,from=first,source=/made,id=staged cat /s/file',
    ];
    expect(await succeed(stage)).toMatch(/ made\n/);
    const bad = await build(['RUN --mount=type=cache,target=/s,from=seeds,source=/nowhere true'], more);
    expect(bad.stderr).toMatch(/"\/nowhere": not found in the build context seeds/);
    expect((await list()).filter(({ inUse }) => inUse)).toEqual([]);
  });

  /** What steps of two processes do at once in a cache, each noting when it begins and ends. */
  const together = (sharing: string, name: string): readonly string[] => [
    `ARG WHO`,
    `RUN --mount=type=cache,target=/c,id=${name},sharing=${sharing} : ${name}; echo $WHO begins >>/c/log; sleep 0.6; echo $WHO ends >>/c/log; cat /c/log`,
  ];

  it('that are locked are used by one process at a time', async () => {
    const lines = together('locked', 'one-by-one');
    const ends = await Promise.all(['a', 'b', 'c'].map((who) => succeed(lines, ['--build-arg', `WHO=${who}`])));
    const longest = ends
      .map((said) => said.match(/[abc] (begins|ends)\n/g) ?? [])
      .toSorted((a, b) => b.length - a.length);
    const log = longest[0]?.map((line) => line.trim().split(' ')) ?? [];
    expect(log).toHaveLength(6);
    for (let at = 0; at < 6; at += 2) {
      expect([log[at]?.[1], log[at + 1]?.[1]]).toEqual(['begins', 'ends']);
      expect(log[at]?.[0]).toBe(log[at + 1]?.[0]);
    }
    expect(ends.some((said) => said.includes('waits for the cache mount "one-by-one"'))).toBe(true);
  });

  it('that are private are each process’s own', async () => {
    const lines = together('private', 'each-its-own');
    const ends = await Promise.all(['a', 'b'].map((who) => succeed(lines, ['--build-arg', `WHO=${who}`])));
    // One may have been over before the other began, and then has given it on, which is as it should be.
    for (const said of ends) {
      const whole = (said.match(/[ab] (begins|ends)\n/g) ?? []).join('');
      expect(whole).toMatch(/^(?:(a|b) begins\n\1 ends\n)+$/);
    }
  });

  it('may have others in them, for several steps at once', async () => {
    const mounts = '--mount=type=cache,target=/foo/bar --mount=type=cache,target=/foo/bar/baz';
    const side = (name: string) => [
      `FROM busybox AS ${name}`,
      `RUN ${mounts} touch /foo/bar/baz/${name}; sleep 0.2; ls /foo/bar/baz/${name} && touch /${name}`,
    ];
    const together = ['FROM busybox', 'COPY --from=a /a /', 'COPY --from=b /b /', 'COPY --from=c /c /'];
    await succeed([...side('a'), ...side('b'), ...side('c'), ...together]);
  });

  it('of a build that was killed are free for the next', async () => {
    const seconds = `77${process.pid}`;
    const step = (script: string) => [`RUN --mount=type=cache,target=/c,id=killed,sharing=locked ${script}`];
    const killed = await build(step(`touch /c/began; sleep ${seconds}`), [], {
      onSpawn: (child) => void processOf(`sleep ${seconds}`).then(() => child.kill('SIGKILL')),
    });
    expect(killed.signal).toBe('SIGKILL');
    expect(await succeed(step('ls /c'))).toMatch(/ began\n/);
    expect(await leftovers(home)).toEqual([]);
  });

  it('are listed, counted and pruned', async () => {
    await succeed(['RUN --mount=type=cache,target=/big dd if=/dev/zero of=/big/file bs=1M count=3 2>/dev/null']);
    const big = (await list()).find(({ id }) => id === '/big');
    expect(big?.size).toBeGreaterThan(3_000_000);
    expect(await slipway(['cache-mounts', 'ls'])).toMatch(
      /^NAME +ID +SIZE +CREATED +LAST USED +IN USE\n.*\/big +3\.\d+MB/,
    );
    const df = JSON.parse(await slipway(['system', 'df', '--json'])) as { buildCache: { size: number } };
    expect(df.buildCache.size).toBeGreaterThan(3_000_000);
    expect(await slipway(['cache-mounts', 'prune', '-f', '--filter', 'until=1h'])).toBe('Total reclaimed space: 0B\n');
    expect(await slipway(['cache-mounts', 'prune', '-f', '--id', '/big'])).toMatch(
      /^\/big\n\nTotal reclaimed space: 3\.\d+MB\n$/,
    );
    expect((await list()).map(({ id }) => id)).not.toContain('/big');
    expect(await readdir(join(home, 'store', 'cache-mounts'))).toHaveLength((await list()).length);
    const bad = await runCli(['cache-mounts', 'prune', '-f', '--filter', 'x=1']);
    expect(bad.code).toBe(125);
  });

  it('go from one machine to another', async () => {
    const folder = join(home, 'exported');
    const elsewhere = { SLIPWAY_ROOT: join(home, 'elsewhere') };
    const lines = [
      'RUN --mount=type=cache,target=/x,id=carried,uid=5 mkdir -p /x/a && echo first >/x/a/file && ln /x/a/file /x/b && chown 7:8 /x/b && touch /x/$(printf "\\\\377")',
      'RUN --mount=type=cache,target=/y,id=carried-too true',
    ];
    const said = await succeed(lines, ['--cache-mount-export', folder]);
    expect(said).toContain(`exported 2 cache mounts to ${folder}`);
    const files = (await readdir(folder)).toSorted();
    expect(files).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}\.tar\.zst$/),
      expect.stringMatching(/^[0-9a-f]{64}\.tar\.zst$/),
      'index.json',
    ]);

    // Elsewhere: the step runs, with what the other left.
    const look = (more: string) => [`RUN --mount=type=cache,target=/x,id=carried,uid=5 ${more}`];
    const found = await succeed(
      look('cat /x/a/file; stat -c "%u:%g %h" /x/b; stat -c "dir %u" /x; ls /x | wc -l'),
      ['--cache-mount-import', folder],
      {
        env: elsewhere,
      },
    );
    expect(found).toContain(`imported 1 cache mount from ${folder}`);
    expect(found).toMatch(/ first\n.* 7:8 2\n.* dir 5\n.* 3\n/s);

    // Unchanged: nothing is written, also where a step used it.
    const times = async () => Promise.all(files.map(async (file) => (await stat(join(folder, file))).mtimeMs));
    const before = await times();
    await succeed([...lines, '# again'], ['--cache-mount-export', folder]);
    await succeed(look('cat /x/a/file'), ['--no-cache', '--cache-mount-export', folder], { env: elsewhere });
    expect(await times()).toEqual(before);

    // Changed there, and back here, where it is older.
    await succeed(look('echo second >/x/a/file'), ['--cache-mount-export', folder], { env: elsewhere });
    const back = await succeed(look('cat /x/a/file; echo here'), ['--cache-mount-import', folder]);
    expect(back).toMatch(/ second\n/);
    expect(await slipway(['cache-mounts', 'import', folder])).toBe(
      'carried: already here\ncarried-too: already here\n',
    );
    expect(await leftovers(home)).toEqual([]);
  });

  it('that cannot be imported or exported are said, and the build goes on', async () => {
    const folder = join(home, 'damaged');
    const line = 'RUN --mount=type=cache,target=/x,id=damaged echo x >/x/y';
    await succeed([line], ['--cache-mount-export', folder]);
    const elsewhere = { SLIPWAY_ROOT: join(home, 'elsewhere-2') };
    const other = join(home, 'damaged-archive');
    await cp(folder, other, { recursive: true });
    for (const file of await readdir(other))
      if (file !== 'index.json') await writeFile(join(other, file), 'other bytes');
    const damaged = await succeed([line], ['--cache-mount-import', other], { env: elsewhere });
    expect(damaged).toMatch(/the cache mount "damaged" cannot be imported: /);
    await writeFile(join(folder, 'index.json'), '{"version":1,"mounts":[{"id":"../x"}]}');
    const unread = await succeed([line], ['--cache-mount-import', folder], { env: elsewhere });
    expect(unread).toMatch(/cache mounts cannot be imported: .*index\.json: origin is no text/);
    const file = join(home, 'a-file');
    await writeFile(file, '');
    const nowhere = await succeed([line], ['--cache-mount-export', join(file, 'folder')]);
    expect(nowhere).toMatch(/cache mounts cannot be exported: ENOTDIR/);
    await rm(join(folder, 'index.json'));
    const none = await runCli(['cache-mounts', 'import', folder]);
    expect(none).toMatchObject({ code: 1 });
    await chmod(folder, 0o755);
  });
});
