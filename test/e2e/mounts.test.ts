import { beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, copyFile, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { ordinaryUser, whyNoOrdinaryUser } from './ordinary-user.ts';
import { processOf } from './process-of.ts';
import { runCli, type RunOptions, type RunResult, testHome } from './run-cli.ts';

const reason = whyNoBusyboxBase();
const isolations = ['runc', 'sandbox'].filter((name) => name !== 'runc' || existsSync('/usr/sbin/runc'));

(reason === undefined ? describe : describe.skip).each(isolations)('mounts of RUN in %s', (isolation) => {
  let home: string;
  let context: string;
  let base: readonly string[];

  beforeAll(async () => {
    home = join(await testHome(), isolation); // a store each, that one has no cache of the other's
    await mkdir(home);
    base = await busyboxBase(join(home, 'busybox'));
    context = join(home, 'context');
    await mkdir(join(context, 'sub'), { recursive: true });
    await writeFile(join(context, 'sub', 'file'), 'from the context\n');
  });

  const flags = (...more: readonly string[]) => [
    'build',
    '--isolation',
    isolation,
    '--progress',
    'plain',
    ...base,
    ...more,
  ];
  const cli = (args: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
    runCli(args, { ...options, env: { SLIPWAY_ROOT: join(home, 'store'), ...options.env } });
  /** Builds a Dockerfile of these lines; what its steps print is in `stderr`. */
  const build = (
    lines: readonly string[],
    more: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<RunResult> => cli(flags('-f', '-', ...more, context), { input: `${lines.join('\n')}\n`, ...options });
  const succeed = async (lines: readonly string[], more: readonly string[] = [], options: RunOptions = {}) => {
    const result = await build(lines, more, options);
    if (result.code !== 0) throw new Error(result.stderr);
    return result.stderr;
  };
  /** Names in the last layer of what was built. */
  const layer = async (archive: string): Promise<readonly string[]> => {
    const folder = await mkdtemp(join(home, 'layers-'));
    execFileSync('tar', ['-xf', archive, '-C', folder]);
    const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as Index;
    const manifest = JSON.parse(await readBlob(folder, index.manifests[0]?.digest ?? '')) as Manifest;
    const last = manifest.layers.at(-1)?.digest ?? '';
    const listed = spawnSync('tar', ['-tf', blob(folder, last)], { encoding: 'utf8' });
    return listed.stdout.split('\n').filter((name) => name !== '' && !/^(dev|proc|sys|etc)\/$/.test(name));
  };

  describe('secrets', () => {
    const secret = `hunter2-${isolation}-${process.pid}`;
    let file: string;
    beforeAll(async () => {
      file = join(home, `secret-${isolation}`); // beside of the store
      await writeFile(file, secret);
    });

    it('are files and variables, with owner and mode', async () => {
      const said = await succeed(
        [
          'FROM busybox',
          'RUN --mount=type=secret,id=a stat -c "plain %a %u:%g" /run/secrets/a && test "$(cat /run/secrets/a | wc -c)" -gt 9',
          'RUN --mount=type=secret,id=a,target=/x/y,mode=0440,uid=7,gid=8 stat -c "placed %a %u:%g" /x/y; touch /x/y 2>/dev/null || echo read-only',
          'RUN --mount=type=secret,id=b,env=TOKEN test ${#TOKEN} -gt 9 && test ! -e /run/secrets && echo in env',
          'RUN --mount=type=secret,id=c,env=TOKEN,target=/t test "$TOKEN" = "$(cat /t)" && echo both',
          'RUN --mount=type=secret,id=nope cat /run/secrets/nope 2>/dev/null || echo none',
          'USER nobody',
          'RUN --mount=type=secret,id=b,env=TOKEN test ${#TOKEN} -gt 9 && echo others too',
        ],
        ['--secret', `id=a,src=${file}`, '--secret', 'id=b,env=SECRET', '--secret', `id=c,command=cat ${file}`],
        { env: { SECRET: secret } },
      );
      for (const text of ['plain 400 0:0', 'placed 440 7:8', 'read-only', 'in env', 'both', 'none', 'others too']) {
        expect(said).toMatch(new RegExp(`\\d ${text}\n`));
      }
    });

    it('that are required and not given fail the step', async () => {
      const { code, stderr } = await build(['FROM busybox', 'RUN --mount=type=secret,id=nope,required true']);
      expect(code).toBe(1);
      expect(stderr).toMatch(/secret nope: not found\n/);
    });

    it('are in no file afterwards', async () => {
      const archive = join(home, `secret-${isolation}.tar`);
      const log = await succeed(
        [
          'FROM busybox',
          'RUN --mount=type=secret,id=a --mount=type=secret,id=b,env=TOKEN --mount=type=secret,id=c,env=OTHER,target=/run/secrets/deep/c true',
          'RUN --mount=type=secret,id=a,target=/etc/token cat /etc/token >/dev/null; exit 0',
        ],
        // biome-ignore format: one flag a line would be longer
        ['--secret', `id=a,src=${file}`, '--secret', 'id=b,env=SECRET', '--secret', `id=c,command=cat ${file}`,
          '-o', `type=oci,dest=${archive},compression=none`, '-t', 'secret'],
        { env: { SECRET: secret } },
      );
      const said = [log, (await cli(['history', '--no-trunc', 'secret'])).stdout].join('\n');
      expect(said).not.toContain(secret);
      expect(filesWith(secret, [join(home, 'store'), archive])).toEqual([]);
      expect(await layer(archive)).toEqual([]);
    });

    it('are in nothing that tells of a build: progress, timeline, metadata, caches, records, explanations, errors', async () => {
      const place = join(home, 'told');
      await mkdir(place);
      const lines = (end: string) => [
        'FROM busybox',
        'ARG TIMES',
        `RUN --mount=type=secret,id=a --mount=type=secret,id=b,env=TOKEN test ${'${#TOKEN}'} -gt 9 && echo $TIMES >/made; ${end}`,
      ];
      // biome-ignore format: one flag a line would be longer
      const more = (times: string) => ['--secret', `id=a,src=${file}`, '--secret', 'id=b,env=SECRET', '--progress=json', '--explain', '--build-arg', `TIMES=${times}`,
        '--timeline', join(place, `${times}.html`), '--metadata-file', join(place, `${times}.json`),
        '--cache-to', `type=local,dest=${join(place, 'cache')},mode=max,compression=none`, '-t', `told:${times}`];
      const env = { SECRET: secret };
      const said = [
        await succeed(lines('true'), more('once'), { env }),
        await succeed(lines('true'), more('again'), { env }),
        ...Object.values(await build(lines('exit 3'), more('failing'), { env })),
        ...Object.values(await cli(['why', 'told:again'])),
        ...Object.values(await cli(['inspect', 'told:again'])),
        ...Object.values(await cli(['builds', 'ls'])),
        ...Object.values(await cli(['builds', 'inspect'])),
        ...Object.values(await cli(['builds', 'logs', '--progress=json'])),
      ].join('\n');
      expect(said).toContain('exit code: 3');
      expect(said).not.toContain(secret);
      expect((await readdir(place)).sort()).toEqual(expect.arrayContaining(['again.html', 'again.json', 'cache']));
      expect(filesWith('containerimage.config.digest', [place])).not.toEqual([]); // grep finds what is there
      expect(filesWith(secret, [place, join(home, 'store')])).toEqual([]);
    });

    it('do not count for the cache', async () => {
      const lines = ['FROM busybox', 'RUN --mount=type=secret,id=a,env=A cat /proc/sys/kernel/random/uuid >/id'];
      const id = async (value: string): Promise<string> => {
        const more = ['-q', '--iidfile', join(home, 'iid'), '--secret', 'id=a,env=SECRET'];
        await succeed(lines, more, { env: { SECRET: value } });
        return readFile(join(home, 'iid'), 'utf8');
      };
      expect(await id('one')).toBe(await id('two'));
    });

    it('are in no file while a step runs, nor after the build was killed in it', async () => {
      const seconds = `88${isolation.length}${process.pid}`;
      let during: readonly string[] = ['not looked'];
      const { signal } = await build(
        ['FROM busybox', `RUN --mount=type=secret,id=a --mount=type=secret,id=b,env=TOKEN sleep ${seconds}`],
        ['--secret', `id=a,src=${file}`, '--secret', 'id=b,env=SECRET'],
        {
          env: { SECRET: secret },
          onSpawn: (child) =>
            void processOf(`sleep ${seconds}`).then(() => {
              during = filesWith(secret, [join(home, 'store')]);
              child.kill('SIGKILL');
            }),
        },
      );
      expect({ signal, during }).toEqual({ signal: 'SIGKILL', during: [] });
      expect(filesWith(secret, [join(home, 'store'), '/dev/shm'])).toEqual([]);
      await cli(['images']); // clears away what is left
      expect(await leftovers(home)).toEqual([]);
    });
  });

  describe('ssh agents', () => {
    it('are reached through a socket of the step’s own', async () => {
      const folder = join(home, `ssh-${isolation}`);
      const image = join(folder, 'context');
      await mkdir(image, { recursive: true });
      const program = await programWithLibraries('/usr/bin/ssh-add', image);
      const key = join(folder, 'key');
      execFileSync('ssh-keygen', ['-q', '-N', '', '-t', 'ed25519', '-C', 'of the test', '-f', key]);
      const real = join(folder, 'agent');
      const agent = spawn('ssh-agent', ['-D', '-a', real], { stdio: 'ignore' });
      try {
        while (!existsSync(real)) await new Promise((resolve) => setTimeout(resolve, 5));
        execFileSync('ssh-add', ['-q', key], { env: { SSH_AUTH_SOCK: real }, stdio: 'ignore' });
        const input = [
          'FROM busybox',
          'COPY . /',
          `RUN --mount=type=ssh echo $SSH_AUTH_SOCK; stat -c "%F %a %u" $SSH_AUTH_SOCK; ${program} -L`,
          `RUN --mount=type=ssh,id=file,target=/a,mode=0666 SSH_AUTH_SOCK=/a ${program} -L`,
          'USER nobody',
          `RUN --mount=type=ssh,uid=65534 ${program} -l; ${program} -D 2>/dev/null || echo refused`,
          'RUN --mount=type=ssh,id=other echo "[$SSH_AUTH_SOCK]"',
        ].join('\n');
        const more = ['--ssh', `default=${real}`, '--ssh', `file=${key}`];
        const { code, stderr } = await cli(flags('-f', '-', ...more, image), { input });
        expect({ code, stderr }).toMatchObject({ code: 0 });
        expect(stderr).toMatch(/\/run\/buildkit\/ssh_agent\.0\n.*socket 600 0\n/);
        expect(stderr.match(/ssh-ed25519 \S+ of the test/g)).toHaveLength(2);
        expect(stderr).toMatch(/256 SHA256:\S+ of the test \(ED25519\)\n.*refused/);
        expect(stderr).toMatch(/ \[\]\n/);
      } finally {
        agent.kill();
        await once(agent, 'close');
      }
    });

    it('that are required and not given fail the step', async () => {
      const { code, stderr } = await build(['FROM busybox', 'RUN --mount=type=ssh,required true']);
      expect(code).toBe(1);
      expect(stderr).toMatch(/no SSH key "default" forwarded from the client\n/);
    });
  });

  describe('folders', () => {
    it('of contexts, stages and memory are seen and leave nothing in the layer', async () => {
      const archive = join(home, `folders-${isolation}.tar`);
      const said = await succeed(
        [
          'FROM busybox AS first',
          'RUN mkdir /made && echo made >/made/file',
          'FROM busybox',
          'RUN --mount=target=/c --mount=type=bind,from=first,source=/made,target=/d/e,rw --mount=type=tmpfs,target=/t,size=1m' +
            ' --mount=type=cache,target=/c1/c2 cat /c/sub/file; echo more >>/d/e/file; cat /d/e/file; touch /c/x 2>/dev/null || echo read-only;' +
            ' dd if=/dev/zero of=/t/x bs=1k count=2000 2>/dev/null || echo full',
          'RUN --mount=from=first,source=/made,target=/d/e cat /d/e/file; ls -d /d 2>&1',
        ],
        ['-o', `type=oci,dest=${archive},compression=none`],
      );
      expect(said).toMatch(/from the context\n.*made\n.*more\n.*read-only\n.*full\n/);
      expect(said).not.toMatch(/\[3\/3\][^]*more/);
      expect(await layer(archive)).toEqual([]);
    });

    it('are none of the machine where a name that is not UTF-8 is, as text, that of a link', async () => {
      await mkdir(join(home, 'machine'));
      await writeFile(join(home, 'machine', 'file'), 'of the machine\n');
      const shown = await succeed([
        'FROM busybox AS hostile',
        "RUN real=$(printf '\\377') link=$(printf '\\357\\277\\275') && mkdir /$real && echo of the image >/$real/file" +
          ` && ln -s ${join(home, 'machine')} /$link && ln -s $real /way`,
        'FROM busybox',
        'RUN --mount=type=bind,from=hostile,source=/way/file,target=/seen cat /seen',
        'RUN --mount=type=bind,from=hostile,source=/way,target=/seen cat /seen/file',
      ]);
      expect(shown.match(/\d of the image/g)).toHaveLength(2);
      expect(shown).not.toMatch(/\d of the machine/);
    });

    it('lie in one another', async () => {
      const said = await succeed([
        'FROM busybox',
        'RUN --mount=type=tmpfs,target=/foo/bar/baz --mount=type=bind,source=sub,target=/foo/bar/qux,rw --mount=type=cache,target=/foo/bar,id=outer --mount=type=tmpfs,target=/foo ' +
          'touch /foo/bar/baz/x && cat /foo/bar/qux/file && touch /foo/bar/kept && ls /foo',
        'RUN --mount=type=cache,target=/again,id=outer ls /again/kept',
      ]);
      expect(said).toMatch(/from the context\n.* bar\n/);
      expect(said).toMatch(/ \/again\/kept\n/);
    });

    const outside = (name: string): string => join(home, `outside-${isolation}-${name}`);
    const hostile: readonly (readonly [string, (host: string) => readonly string[]])[] = [
      [
        'CVE-2024-1753: the source is a link to the host',
        (host) => [
          'FROM busybox AS a',
          `RUN mkdir -p ${host} && ln -s ${host} /leak`,
          'FROM busybox',
          'RUN --mount=type=bind,from=a,source=/leak,target=/x,rw touch /x/B',
        ],
      ],
      [
        'the source is below a link to the host',
        (host) => [
          'FROM busybox AS a',
          `RUN ln -s ${join(host, '..')} /leak`,
          'FROM busybox',
          `RUN --mount=type=bind,from=a,source=/leak/${basename(host)},target=/x,rw touch /x/B`,
        ],
      ],
      [
        'CVE-2024-9675: a cache id is a path',
        (host) => ['FROM busybox', `RUN --mount=type=cache,id=../../../../../../../../..${host},target=/x touch /x/B`],
      ],
      [
        'CVE-2024-9675: a cache’s source is a path',
        (host) => [
          'FROM busybox AS a',
          'FROM busybox',
          `RUN --mount=type=cache,from=a,source=../../../../../../..${host},target=/x touch /x/B`,
        ],
      ],
      [
        'CVE-2024-23652: a step swaps the folder of a mount for a link to the host',
        (host) => ['FROM busybox', `RUN --mount=type=tmpfs,target=/a/gone mv /a /b; ln -sfn ${host} /a`],
      ],
      [
        'the target is a link to the host',
        (host) => ['FROM busybox', `RUN ln -s ${host} /out`, 'RUN --mount=type=tmpfs,target=/out/new touch /out/new/B'],
      ],
      [
        'CVE-2024-23651: a link in a cache leads out',
        (host) => [
          'FROM busybox',
          `RUN --mount=type=cache,id=swap-${isolation},target=/c ln -sfn ${host} /c/link`,
          `RUN --mount=type=cache,id=swap-${isolation},target=/c --mount=type=tmpfs,target=/c/link/new touch /c/link/new/B`,
        ],
      ],
    ];
    it.each(hostile.map(([name, lines], index) => [name, lines, index] as const))('%s', async (_, lines, index) => {
      const host = outside(String(index));
      await mkdir(join(host, 'gone'), { recursive: true });
      await build(lines(host)); // it may be refused; what counts is that nothing happens there
      expect(spawnSync('find', [host, '-mindepth', '1', '-printf', '%P\n'], { encoding: 'utf8' }).stdout).toBe(
        'gone\n',
      );
      expect(await leftovers(home)).toEqual([]);
    });

    it('CVE-2024-21626: a mount makes the working folder one of the open files', async () => {
      const cache = `RUN --mount=type=cache,id=open-${isolation},target=/c`;
      const lines = ['FROM busybox', `${cache} ln -sfn /proc/self/fd /c/d`, 'WORKDIR /c/d/7', `${cache} pwd`];
      const result = await build(lines);
      expect(result.stderr).toContain('the working directory /c/d/7 lies among open files');
      expect(await leftovers(home)).toEqual([]);
    });
  });
});

const noUser = reason ?? whyNoOrdinaryUser();

(noUser === undefined ? describe : describe.skip)('mounts of an ordinary user', () => {
  const kinds: readonly (readonly [string, 'subordinate ids' | 'one id'])[] = isolations.flatMap((isolation) => [
    [isolation, 'subordinate ids'] as const,
    [isolation, 'one id'] as const,
  ]);
  it.each(kinds)('are the same in %s with %s', async (isolation, ids) => {
    const home = await testHome();
    const own = join(home, `user-${isolation}-${ids.length}`);
    const user = ids === 'one id' ? { ...nobody, remove: () => Promise.resolve() } : await ordinaryUser();
    try {
      await mkdir(own);
      await chown(own, user.uid, user.gid);
      await chmod(home, 0o755);
      const base = await busyboxBase(join(own, 'busybox'));
      const env = { SLIPWAY_ROOT: join(own, 'store'), XDG_RUNTIME_DIR: own, HOME: own, SECRET: `of-${user.uid}-alone` };
      const carried = join(own, 'carried');
      const context = join(own, 'context');
      await mkdir(context);
      await writeFile(join(context, 'file'), '');
      const input = [
        'FROM busybox',
        'RUN --mount=type=secret,id=a --mount=type=secret,id=a,env=A stat -c "%a %u:%g" /run/secrets/a; test "$A" = "$(cat /run/secrets/a)" && echo same',
        'RUN --mount=type=tmpfs,target=/t,size=1m --mount=type=cache,target=/t/c,id=c --mount=type=bind,source=.,target=/t/b,rw' +
          ' touch /t/b/new; test -e /t/c/kept || touch /t/c/kept; ls /t',
        'RUN --mount=type=cache,target=/c,id=c,sharing=locked ls /c; test ! -e /t && echo clean',
      ].join('\n');
      const args = ['build', '--isolation', isolation, '--progress', 'plain', ...base, '-f', '-'];
      const more = ['--secret', 'id=a,env=SECRET', '--cache-mount-export', carried, context];
      const run = (again: readonly string[], store: string) =>
        runCli([...args, ...again, ...more], { input, user, env: { ...env, SLIPWAY_ROOT: join(own, store) } });
      const first = await run([], 'store');
      if (first.code !== 0) throw new Error(first.stderr);
      expect(first.stderr).toMatch(/400 0:0\n.*same\n.*b\n.*c\n.*kept\n.*clean\n/s);
      expect(filesWith(env.SECRET, [own])).toEqual([]);
      const second = await run(['--cache-mount-import', carried], 'store-2');
      expect(second.stderr).toContain('imported 1 cache mount');
      expect(second.stderr).toMatch(/exported 0 cache mounts to .*, 1 unchanged/);
    } finally {
      await user.remove();
    }
  });
});

const nobody = { uid: 65534, gid: 65534 };

interface Index {
  readonly manifests: readonly { readonly digest: string }[];
}

interface Manifest {
  readonly layers: readonly { readonly digest: string }[];
}

function blob(folder: string, digest: string): string {
  return join(folder, 'blobs', ...digest.split(':'));
}

function readBlob(folder: string, digest: string): Promise<string> {
  return readFile(blob(folder, digest), 'utf8');
}

/** Files below these places that hold a text. */
function filesWith(text: string, places: readonly string[]): readonly string[] {
  const { stdout } = spawnSync('grep', ['-rlaF', '--', text, ...places], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean);
}

/** Copies a program of this machine, with the libraries that it loads, into a tree; returns its path there. */
async function programWithLibraries(program: string, tree: string): Promise<string> {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8' });
  for (const path of [program, ...(listed.match(/\/\S+/g) ?? [])]) {
    await mkdir(join(tree, path, '..'), { recursive: true });
    await copyFile(path, join(tree, path));
  }
  return program;
}
