import { beforeAll, describe, expect, it } from '@jest/globals';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { processOf } from './process-of.ts';
import { runCli, type RunOptions, type RunResult, slipway, testHome } from './run-cli.ts';

const reason = whyNoBusyboxBase();

/** A RUN with the folder /c, which all steps with this id share. */
const shared = (id: string, command: string): string => `RUN --mount=type=cache,id=${id},target=/c ${command}`;
/** Waits for a file; ends with 9 where it does not come. */
const until = (path: string, seconds = 20): string =>
  `for i in $(seq ${seconds * 10}); do [ -e ${path} ] && break; [ $i != ${seconds * 10} ] || exit 9; sleep 0.1; done`;
/** Bytes that come only once: what has the same was not done twice. */
const chance = 'head -c 16 /dev/urandom | md5sum > /r';

(reason === undefined ? describe : describe.skip)(`the solver${reason === undefined ? '' : ` (${reason})`}`, () => {
  let home: string;
  let context: string;
  let base: readonly string[];

  beforeAll(async () => {
    home = await testHome();
    base = [...(await busyboxBase(join(home, 'busybox'))), '--network=none'];
    context = join(home, 'context');
    await mkdir(context);
    await writeFile(join(context, 'file'), 'of the context\n');
  });

  const build = (lines: readonly string[], flags: readonly string[] = [], options: RunOptions = {}) =>
    runCli(['build', '--progress=plain', ...base, ...flags, '-f', '-', context], {
      input: `${lines.join('\n')}\n`,
      ...options,
    });
  const succeed = async (lines: readonly string[], flags: readonly string[] = [], options: RunOptions = {}) => {
    const result = await build(lines, flags, options);
    if (result.code !== 0) throw new Error(result.stderr);
    return result.stderr;
  };
  let outputs = 0;
  /** Builds, and reads files of the result. */
  const filesOf = async (lines: readonly string[], names: readonly string[], flags: readonly string[] = []) => {
    const folder = join(home, `out-${outputs++}`);
    const stderr = await succeed(lines, ['-o', folder, ...flags]);
    return { stderr, files: await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8'))) };
  };
  /** Lines of a file in a folder that steps share. */
  const logOf = async (id: string): Promise<readonly string[]> => {
    const lines = ['FROM busybox', shared(id, 'cp /c/log /log')];
    const { files } = await filesOf(lines, ['log'], ['--no-cache']);
    return (files[0] ?? '').trimEnd().split('\n');
  };

  describe('within a build', () => {
    const meeting = (seconds: number) => [
      'FROM busybox AS a',
      shared(`meet-${seconds}`, `touch /c/a && ${until('/c/b', seconds)} && touch /a`),
      'FROM busybox AS b',
      shared(`meet-${seconds}`, `touch /c/b && ${until('/c/a', seconds)} && touch /b`),
      'FROM scratch',
      'COPY --from=a /a /',
      'COPY --from=b /b /',
    ];

    it('does stages that do not need each other at once: each of two waits for the other one’s file', async () => {
      await succeed(meeting(20));
    });

    it('does one step after the other with --max-parallelism=1: then they wait in vain', async () => {
      const { code, stderr } = await build(meeting(1), ['--max-parallelism=1']);
      expect([code, stderr]).toEqual([9, expect.stringContaining('exit code: 9')]);
    });

    it('does the same work once, whichever stages and platforms want it, even without the cache', async () => {
      const archive = join(home, 'platforms');
      const work = shared('once', `echo done >> /c/log && ${chance}`);
      const lines = [
        'FROM --platform=$BUILDPLATFORM busybox AS one',
        work,
        'FROM --platform=$BUILDPLATFORM busybox AS two',
        work,
        'FROM scratch',
        'COPY --from=one /r /one',
        'COPY --from=two /r /two',
      ];
      const flags = ['--no-cache', '--platform=linux/amd64,linux/arm64', '-o'];
      await succeed(lines, [...flags, `type=local,dest=${archive}`]);
      const files = globSync('*/{one,two}', { cwd: archive }).map((name) => readFileSync(join(archive, name), 'utf8'));
      expect([files.length, new Set(files).size]).toEqual([4, 1]);
      expect(await logOf('once')).toEqual(['done']);
    });

    it('does not do what the result does not need, nor ask for its images', async () => {
      const stderr = await succeed([
        'FROM registry.invalid/nothing AS absent',
        'FROM busybox AS broken',
        'RUN exit 3',
        'FROM busybox AS wanted',
        'RUN touch /made',
      ]);
      expect(stderr).not.toMatch(/exit 3|registry\.invalid/);
    });

    it('stops the others when a step fails, ends with its code, and tells the cause once', async () => {
      const seconds = `60${process.pid}`;
      const never = `70${process.pid}`;
      const { code, stderr } = await build([
        'FROM busybox AS slow',
        shared('failing', `touch /c/slow && exec sleep ${seconds}`),
        'FROM busybox AS failing',
        shared('failing', `${until('/c/slow')} && exit 7`),
        'FROM busybox',
        'COPY --from=slow /bin/busybox /1',
        'COPY --from=failing /bin/busybox /2',
        `RUN echo ${never}`,
      ]);
      expect(code).toBe(7);
      expect(stderr.match(/did not complete successfully: exit code: 7$/gm)).toHaveLength(2); // in the step, at the end
      expect(stderr.match(/^ +4 \| >>> RUN .*exit 7$/gm)).toHaveLength(1);
      expect(stderr).toMatch(/^#\d+ CANCELED$/m);
      expect(stderr).not.toMatch(new RegExp(`also failed|exit code: (?!7)|#\\d+ [\\d.]+ ${never}`));
      expect(processesOf(`sleep ${seconds}`)).toEqual([]);
      expect(await leftovers(home)).toEqual([]);
    });
  });

  describe('over several processes', () => {
    const layersOf = async (image: string): Promise<readonly string[]> => {
      const [found] = JSON.parse(await slipway(['inspect', image])) as [{ RootFS: { Layers: readonly string[] } }];
      return found.RootFS.Layers;
    };

    it('does the steps of the same Dockerfile once, for all that build it at once', async () => {
      const lines = [
        'FROM busybox AS a',
        shared('same', `echo a >> /c/log; sleep 0.5; ${chance}`),
        'FROM busybox',
        shared('same', `echo b >> /c/log; sleep 0.5; ${chance}`),
        'COPY --from=a /r /ra',
        'COPY file /',
      ];
      await Promise.all([1, 2, 3].map((at) => succeed(lines, ['-t', `same:${at}`])));
      const layers = await Promise.all([1, 2, 3].map((at) => layersOf(`same:${at}`)));
      expect(layers).toEqual(Array.from({ length: 3 }, () => layers[0]));
      expect([...(await logOf('same'))].sort()).toEqual(['a', 'b']);
    });

    it('does the steps that different Dockerfiles have in common once', async () => {
      const lines = (own: string) => [
        'FROM busybox AS common',
        shared('common', `echo common >> /c/log; sleep 0.5; ${chance}`),
        'FROM busybox',
        shared('common', `echo ${own} >> /c/log; echo ${own} > /own`),
        'COPY --from=common /r /',
      ];
      const built = await Promise.all(['x', 'y'].map((own) => filesOf(lines(own), ['own', 'r'])));
      const [x, y] = built.map(({ files }) => files);
      expect([x?.[0], y?.[0], x?.[1]]).toEqual(['x\n', 'y\n', y?.[1]]);
      expect([...(await logOf('common'))].sort()).toEqual(['common', 'x', 'y']);
    });

    it('takes a step over from a process that was killed, as one that waits for it', async () => {
      const seconds = `61${process.pid}`;
      const lines = [
        'FROM busybox',
        shared('killed', `echo x >> /c/log; [ $(wc -l < /c/log) != 1 ] || sleep ${seconds}; echo made > /made`),
      ];
      let kill: (() => void) | undefined;
      const first = build(lines, [], { onSpawn: (child) => (kill = () => child.kill('SIGKILL')) });
      await processOf(`sleep ${seconds}`);
      const log = join(home, 'second.log');
      const second = toFile(['build', '--progress=plain', ...base, '-f', '-', '-o', join(home, 'taken'), context], {
        log,
        input: lines.join('\n'),
      });
      while (!readFileSync(log, { encoding: 'utf8', flag: 'a+' }).includes('RUN --mount')) await delay(20);
      await delay(200); // it waits now; where it does not yet, it will find the step free
      kill?.();
      expect((await first).signal).toBe('SIGKILL');
      expect(await second).toMatchObject({ code: 0 });
      expect(await readFile(join(home, 'taken', 'made'), 'utf8')).toBe('made\n');
      expect(await logOf('killed')).toEqual(['x', 'x']);
      expect(processesOf(`sleep ${seconds}`)).toEqual([]);
      expect(await leftovers(home)).toEqual([]);
    });

    /** As `runCli`, with standard error in a file that can be read meanwhile. */
    async function toFile(args: readonly string[], { log, input }: { log: string; input: string }): Promise<RunResult> {
      const { run } = await import('./run-cli.ts');
      const launcher = join(dirname(dirname(import.meta.dirname)), 'bin', 'slipway');
      const env = { PATH: process.env['PATH'], HOME: home, SLIPWAY_ROOT: join(home, 'store') };
      const script = 'log=$1; shift; exec "$@" 2>"$log"';
      return run('/bin/sh', ['-c', script, 'sh', log, process.execPath, launcher, ...args], { env, input });
    }
  });

  describe('without the cache', () => {
    const lines = [
      'FROM busybox AS one',
      `RUN ${chance} && : one`,
      'FROM busybox AS two',
      `RUN ${chance} && : two`,
      'FROM scratch',
      'COPY --from=one /r /one',
      'COPY --from=two /r /two',
    ];
    const made = async (...flags: readonly string[]) => (await filesOf(lines, ['one', 'two'], flags)).files;

    it('does all again with --no-cache, one stage with --no-cache-filter, and later finds the newest', async () => {
      const first = await made();
      expect(await made()).toEqual(first);
      const filtered = await made('--no-cache-filter=ONE');
      expect(filtered.map((file, at) => file === first[at])).toEqual([false, true]);
      const all = await made('--no-cache');
      expect(all.map((file, at) => file === filtered[at])).toEqual([false, false]);
      expect(await made()).toEqual(all);
    });
  });

  describe('with a store that lost something behind its back', () => {
    const lines = ['FROM busybox', `RUN mkdir /lost && ${chance} && mv /r /lost/r`, 'RUN cat /lost/r > /copy'];
    const files = ['lost/r', 'copy'];
    /** Deletes the unpacked layer with this file. */
    const lose = (path: string): void => {
      const found = globSync(join(home, 'store', 'snapshots', '*', 'fs', path));
      expect(found).not.toEqual([]);
      for (const file of found) rmSync(file.slice(0, -path.length - 1), { recursive: true });
    };

    it.each<readonly [what: string, path: string]>([
      ['a layer that others stand on', 'lost/r'],
      ['the last layer', 'copy'],
    ])('makes %s again, and says so', async (_, path) => {
      await succeed(lines, ['-t', 'lost']);
      lose(path);
      const { stderr, files: made } = await filesOf(lines, files, ['-t', 'lost']);
      expect(made[0]).toMatch(/^[0-9a-f]{32} /);
      expect(made[1]).toBe(made[0]);
      expect(stderr).toMatch(/WARNING: .*layer/i);
      const again = await filesOf(lines, files);
      expect(again.files).toEqual(made);
      expect(again.stderr).not.toContain('WARNING: layer');
    });
  });

  it('leaves nothing behind', async () => {
    expect(await leftovers(home)).toEqual([]);
  });
});

/** Pids of processes with this command line. */
function processesOf(command: string): readonly string[] {
  return globSync('/proc/[0-9]*/cmdline').filter((file) => {
    try {
      return readFileSync(file, 'utf8').split('\0').join(' ').trimEnd() === command;
    } catch {
      return false; // it ended meanwhile
    }
  });
}
