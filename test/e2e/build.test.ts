import { beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { ourRegistry } from './our-registry.ts';
import { runCli, slipway, testHome } from './run-cli.ts';

const project = dirname(dirname(import.meta.dirname));
const reason = whyNoBusyboxBase();

interface Inspected {
  readonly Config: {
    readonly Labels?: Record<string, string>;
    readonly Env?: readonly string[];
    readonly Cmd?: readonly string[];
  };
  readonly RootFS: { readonly Layers: readonly string[] };
}

(reason === undefined ? describe : describe.skip)(`slipway build${reason === undefined ? '' : ` (${reason})`}`, () => {
  let home: string;
  let context: string;
  let base: readonly string[];

  beforeAll(async () => {
    home = await testHome();
    base = await busyboxBase(join(home, 'busybox'));
    context = join(home, 'context');
    await mkdir(join(context, 'sub'), { recursive: true });
    await writeFile(join(context, 'file'), 'from the context\n');
    await writeFile(join(context, 'sub', 'Other.Dockerfile'), 'FROM busybox\nRUN echo other > /which\n');
    await writeFile(
      join(context, 'Dockerfile'),
      [
        'FROM busybox AS first',
        'ARG WHO=nobody',
        'RUN echo "$WHO" > /who',
        'FROM busybox AS second',
        'COPY --from=first /who /who',
        'COPY file /file',
        'CMD ["cat", "/who"]',
      ].join('\n'),
    );
  });

  const build = (...args: readonly string[]) => slipway(['build', '-q', ...base, ...args]);
  const content = async (image: string, path: string): Promise<string> => {
    const folder = join(home, `tree-${Math.random().toString(36).slice(2)}`);
    await slipway(['build', '-q', '-o', `type=local,dest=${folder}`, '-f', '-', context], { input: `FROM ${image}\n` });
    return readFile(join(folder, path), 'utf8');
  };
  const inspect = async (image: string): Promise<Inspected> => {
    const [found] = JSON.parse(await slipway(['inspect', image])) as [Inspected];
    return found;
  };

  it('writes the id to standard output with -q, and to --iidfile', async () => {
    const file = join(home, 'iid');
    const id = await build('-t', 'plain', '--iidfile', file, context);
    expect(id).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(await readFile(file, 'utf8')).toBe(id.trim());
  });

  it('takes build arguments from the line, then from the environment', async () => {
    await build('-t', 'arg:line', '--build-arg', 'WHO=line', context);
    await slipway(['build', '-q', ...base, '-t', 'arg:env', '--build-arg', 'WHO', context], {
      env: { WHO: 'environment' },
    });
    expect([await content('arg:line', 'who'), await content('arg:env', 'who')]).toEqual(['line\n', 'environment\n']);
  });

  it('stops at --target, adds labels, and gives every name', async () => {
    await build('--target', 'first', '--label', 'a=1', '--label', 'b=', '-t', 'one:1', '-t', 'two', context);
    for (const name of ['one:1', 'two:latest']) {
      const { Config, RootFS } = await inspect(name);
      expect([Config.Labels, Config.Cmd, RootFS.Layers.length]).toEqual([{ a: '1', b: '' }, ['sh'], 2]);
    }
  });

  it('reads a Dockerfile from elsewhere, from the context, and from standard input', async () => {
    await build('-t', 'other:a', '-f', join(context, 'sub', 'Other.Dockerfile'), context);
    await build('-t', 'other:b', '-f', 'sub/Other.Dockerfile', context);
    const input = 'FROM busybox\nCOPY file /which\n';
    await slipway(['build', '-q', ...base, '-t', 'other:c', '-f', '-', context], { input });
    expect([
      await content('other:a', 'which'),
      await content('other:b', 'which'),
      await content('other:c', 'which'),
    ]).toEqual(['other\n', 'other\n', 'from the context\n']);
  });

  it('takes a Dockerfile alone, or a whole context as a tar, through standard input', async () => {
    await slipway(['build', '-q', ...base, '-t', 'stdin:alone', '-'], {
      input: 'FROM busybox\nRUN echo alone > /file\n',
    });
    for (const flag of ['-cf', '-czf']) {
      const input = execFileSync('tar', ['-C', context, flag, '-', '.']);
      await slipway(['build', '-q', ...base, '-t', `stdin:tar${flag}`, '-'], { input });
      expect(await content(`stdin:tar${flag}`, 'file')).toBe('from the context\n');
    }
    expect(await content('stdin:alone', 'file')).toBe('alone\n');
  });

  it('reads folders as named contexts, for COPY --from and in place of a stage', async () => {
    const named = join(home, 'named');
    await mkdir(named);
    await writeFile(join(named, 'who'), 'a folder\n');
    await build('-t', 'named', '--build-context', `first=${named}`, context);
    expect(await content('named', 'who')).toBe('a folder\n');
  });

  it('unpacks archives with ADD, and copies them with COPY', async () => {
    execFileSync('tar', ['-C', context, '-czf', join(context, 'archive'), 'file']);
    const input = 'FROM busybox\nADD archive /unpacked/\nCOPY archive /kept\n';
    await slipway(['build', '-q', ...base, '-t', 'add', '-f', '-', context], { input });
    expect(await content('add', 'unpacked/file')).toBe('from the context\n');
    expect((await content('add', 'kept')).length).toBeGreaterThan(0);
  });

  it('writes archives and layouts, and trees as tar and as files', async () => {
    const out = (name: string) => join(home, 'out', name);
    const outputs = [
      'type=oci,dest=OUT/oci.tar',
      'type=docker,dest=OUT/docker.tar',
      'type=oci,tar=false,dest=OUT/layout',
      'type=tar,dest=OUT/tree.tar',
      'type=local,dest=OUT/tree',
    ];
    await mkdir(out(''));
    await build(...outputs.flatMap((output) => ['-o', output.replace('OUT', out(''))]), context);
    const names = (file: string) =>
      execFileSync('tar', ['-tf', out(file)])
        .toString('utf8')
        .split('\n');
    expect(names('oci.tar')).toEqual(expect.arrayContaining(['oci-layout', 'index.json']));
    expect(names('docker.tar')).toEqual(expect.arrayContaining(['manifest.json', 'index.json']));
    expect(names('tree.tar')).toContain('who');
    expect(existsSync(join(out('layout'), 'oci-layout'))).toBe(true);
    expect(await readFile(join(out('tree'), 'who'), 'utf8')).toBe('nobody\n');
    expect((await readdir(out(''))).sort()).toEqual(['docker.tar', 'layout', 'oci.tar', 'tree', 'tree.tar']);
  });

  it('refuses a destination that is a folder, or lies below a file, before any step', async () => {
    const outputs = ['tar', 'oci'].map((type) => `type=${type},dest=${context}`);
    const file = join(context, 'file');
    for (const output of [...outputs, `type=local,dest=${file}`, `type=tar,dest=${join(file, 'x')}`]) {
      const { code, stderr } = await runCli(['build', '-q', ...base, '-o', output, context]);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^ERROR: cannot write the output: .*\n$/)]);
    }
  });

  it('ends at SIGTERM while standard input says nothing', async () => {
    const command = [process.execPath, join(project, 'bin', 'slipway'), 'build', '-'];
    const waits = '[ -d /proc/$! ] && ! grep -q "State:.*Z" /proc/$!/status && echo hangs';
    const script = `sleep 5 | { exec 3<&0; "$@" <&3 2>&1 & sleep 2; kill -TERM $!; sleep 1; ${waits}; wait $!; echo $?; }`;
    const shown = execFileSync('/bin/sh', ['-c', script, 'sh', ...command], {
      env: { PATH: process.env['PATH'], HOME: home, SLIPWAY_ROOT: join(home, 'store') },
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(shown).toBe('interrupted\n143\n');
  });

  it('gives documents and cache mounts their owners and modes whatever the umask', async () => {
    const dockerfile = [
      'FROM busybox',
      'COPY <<END /made',
      'text',
      'END',
      'USER 1000',
      'RUN --mount=type=cache,target=/c,uid=1000,mode=0700 touch /c/x && stat -c "%u %a" /c /made',
      'RUN <<END',
      '#!/bin/sh',
      'echo script',
      'END',
    ];
    const command = [process.execPath, join(project, 'bin', 'slipway'), 'build', '--progress=plain', ...base, '-'];
    const shown = execFileSync('/bin/sh', ['-c', 'umask 077; "$@" 2>&1', 'sh', ...command], {
      env: { PATH: process.env['PATH'], HOME: home, SLIPWAY_ROOT: join(home, 'store') },
      input: dockerfile.join('\n'),
      encoding: 'utf8',
    });
    expect(shown).toMatch(/ 1000 700\n.* 0 644\n[^]* script\n/);
  });

  it('does a RUN again without its network, and not again with it', async () => {
    const input = 'FROM busybox\nRUN echo a step about networks\n';
    const stepOf = async (...flags: readonly string[]): Promise<boolean> =>
      (await runCli(['build', '--progress=plain', ...base, ...flags, '-'], { input })).stderr.includes('CACHED');
    expect([await stepOf(), await stepOf('--network=none'), await stepOf()]).toEqual([false, false, true]);
  });

  it('holds little of the output that a step writes faster than it is read', async () => {
    const input = 'FROM busybox\nRUN yes "$(seq 20 | tr -d "\\n")" | head -c 150000000\n';
    const command = [process.execPath, join(project, 'bin', 'slipway'), 'build', '--progress=plain', ...base, '-'];
    const script = '{ "$@" 2>&1 & sleep 3; grep VmHWM /proc/$!/status >&2; } | { sleep 3.5; cat >/dev/null; }';
    const { stderr } = spawnSync(
      '/bin/sh',
      ['-c', `exec 3<&0; ${script.replace('2>&1 &', '2>&1 <&3 &')}`, 'sh', ...command],
      {
        env: { PATH: process.env['PATH'], HOME: home, SLIPWAY_ROOT: join(home, 'store') },
        input,
        encoding: 'utf8',
      },
    );
    expect(Number(/VmHWM:\s+(\d+) kB/.exec(stderr)?.[1])).toBeLessThan(400_000);
  });

  it('streams a tree to standard output and leaves the device what it is', async () => {
    const before = await lstat('/dev/stdout');
    const command = [process.execPath, join(project, 'bin', 'slipway'), 'build', '-q', ...base, '-o', '-', context];
    const listed = execFileSync('/bin/sh', ['-c', '"$@" | tar -t', 'sh', ...command], {
      env: { PATH: process.env['PATH'], HOME: home, SLIPWAY_ROOT: join(home, 'store') },
      encoding: 'utf8',
    });
    expect(listed).toMatch(/^who$/m);
    const after = await lstat('/dev/stdout');
    expect([after.ino, after.isSymbolicLink()]).toEqual([before.ino, before.isSymbolicLink()]);
  });

  it('pushes with --push and builds on what was pushed', async () => {
    const registry = await ourRegistry(home);
    try {
      const name = `${registry.host}/pushed:1`;
      await build('-t', name, '--push', context);
      await slipway(['rmi', name]);
      await slipway(['build', '-q', '-t', 'on-top', '-'], { input: `FROM ${name}\nRUN cat /who > /copy\n` });
      expect(await content('on-top', 'copy')).toBe('nobody\n');
    } finally {
      await registry.close();
    }
  });

  it('makes the same layers with whole copies as with overlays', async () => {
    await slipway(['build', '-q', ...base, '-t', 'copied', '--no-cache', context], {
      env: { SLIPWAY_SNAPSHOTTER: 'copy', SLIPWAY_ROOT: join(home, 'copies') },
    });
    const layers = JSON.parse(
      await slipway(['layers', 'copied', '/who', '--json'], { env: { SLIPWAY_ROOT: join(home, 'copies') } }),
    ) as unknown[];
    expect(layers).toEqual([expect.objectContaining({ path: 'who', size: 7, mode: 0o644, layer: 1 })]);
  });

  it('says once how steps are isolated', async () => {
    const { stderr } = await runCli(['build', ...base, '--no-cache', '--progress', 'plain', context]);
    expect(stderr.match(/RUN steps are isolated by/g)).toHaveLength(1);
  });

  it('leaves nothing behind', async () => {
    expect(await leftovers(home)).toEqual([]);
  });
});
