import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { slipway, testHome } from './run-cli.ts';

// What a change costs. Each row is a stage that ends in random bytes: the same bytes in the second build prove that the steps
// before them were not done again, whatever the builder says of itself.

/** Ends a stage: nobody draws the same number twice, and no two rows have a step in common. */
const random = 'RUN head -c 16 /dev/urandom | md5sum > /r && : row-{i}';

interface Row {
  readonly change: string;
  readonly expected: 'kept' | 'done again';
  /** Lines of the stage but for FROM; `{}` is the row's own folder in the context, which holds `f` and `d/g`. */
  readonly lines: readonly string[];
  /** The lines of the second build, where they differ. */
  readonly later?: readonly string[];
  /** What happens to the row's folder between the builds. */
  readonly meanwhile?: (folder: string) => void;
}

const copy = ['COPY {}/d /d', random];
const write = (path: string, text: string) => (folder: string) => writeFileSync(join(folder, path), text);

const rows: readonly Row[] = [
  {
    change: 'a new modification time',
    expected: 'kept',
    lines: copy,
    meanwhile: (folder) => utimesSync(join(folder, 'd/g'), 1, 1),
  },
  { change: 'another file of the context', expected: 'kept', lines: copy, meanwhile: write('f', 'changed') },
  {
    change: 'another owner in the context',
    expected: 'kept',
    lines: copy,
    meanwhile: (folder) => chownSync(join(folder, 'd/g'), 1000, 1000),
  },
  {
    change: 'a user attribute',
    expected: 'kept',
    lines: copy,
    meanwhile: (folder) => void execFileSync('setfattr', ['-n', 'user.note', '-v', 'x', join(folder, 'd/g')]),
  },
  {
    change: 'a copy that became a hard link',
    expected: 'kept',
    lines: copy,
    meanwhile: (folder) => {
      rmSync(join(folder, 'd/h'));
      linkSync(join(folder, 'd/g'), join(folder, 'd/h'));
    },
  },
  {
    change: 'a source of another name, to the same file',
    expected: 'kept',
    lines: ['COPY {}/d/g /x', random],
    later: ['COPY {}/d/h /x', random],
  },
  {
    change: 'a comment in a continued line',
    expected: 'kept',
    lines: [`${random} && \\`, '# one', 'true'],
    later: [`${random} && \\`, '# other', 'true'],
  },
  {
    change: 'an ARG that an ENV overrides',
    expected: 'kept',
    lines: ['ARG OVERRIDDEN=1', 'ENV OVERRIDDEN=x', random],
    later: ['ARG OVERRIDDEN=2', 'ENV OVERRIDDEN=x', random],
  },
  { change: 'a build argument and a proxy that are not declared', expected: 'kept', lines: [random] },
  { change: 'the value of a secret', expected: 'kept', lines: [random.replace('RUN', 'RUN --mount=type=secret,id=s')] },
  {
    change: 'the id of a cache mount',
    expected: 'kept',
    lines: [random.replace('RUN', 'RUN --mount=type=cache,id=one,target=/c')],
    later: [random.replace('RUN', 'RUN --mount=type=cache,id=other,target=/c')],
  },
  {
    change: 'a label, a command and a port',
    expected: 'kept',
    lines: ['LABEL a=1', 'CMD ["a"]', 'EXPOSE 1', random],
    later: ['LABEL a=2', 'CMD ["b"]', 'EXPOSE 2', random],
  },
  {
    change: 'a file beside one that is mounted',
    expected: 'kept',
    lines: [random.replace('RUN', 'RUN --mount=source={}/d,target=/m')],
    meanwhile: write('f', 'changed'),
  },
  {
    change: 'a file of a stage beside one that is mounted',
    expected: 'kept',
    lines: [random.replace('RUN', 'RUN --mount=from=other-{i},source=/kept,target=/m')],
  },
  {
    change: 'a stage that was done again, and gave the same file',
    expected: 'kept',
    lines: ['COPY --from=other-{i} /kept /kept', random],
  },
  { change: 'the content of a file', expected: 'done again', lines: copy, meanwhile: write('d/g', 'changed') },
  {
    change: 'a content of equal size under an equal time',
    expected: 'done again',
    lines: copy,
    meanwhile: (folder) => {
      const { atime, mtime } = statSync(join(folder, 'd/g'));
      writeFileSync(join(folder, 'd/g'), 'equal'.padEnd(8));
      utimesSync(join(folder, 'd/g'), atime, mtime);
    },
  },
  {
    change: 'a mode',
    expected: 'done again',
    lines: copy,
    meanwhile: (folder) => chmodSync(join(folder, 'd/g'), 0o755),
  },
  {
    change: 'a name in a copied folder',
    expected: 'done again',
    lines: copy,
    meanwhile: (folder) => renameSync(join(folder, 'd/g'), join(folder, 'd/i')),
  },
  {
    change: 'a name in a folder, copied into a folder',
    expected: 'done again',
    lines: ['COPY {}/d/g /x/', random],
    later: ['COPY {}/d/h /x/', random],
  },
  {
    change: 'a new empty folder',
    expected: 'done again',
    lines: copy,
    meanwhile: (folder) => mkdirSync(join(folder, 'd/e')),
  },
  {
    change: 'a file that became a link to the same content',
    expected: 'done again',
    lines: copy,
    meanwhile: (folder) => {
      rmSync(join(folder, 'd/h'));
      symlinkSync('g', join(folder, 'd/h'));
    },
  },
  { change: 'a destination', expected: 'done again', lines: copy, later: ['COPY {}/d /e', random] },
  { change: 'an owner to give', expected: 'done again', lines: copy, later: ['COPY --chown=1 {}/d /d', random] },
  { change: 'a variable', expected: 'done again', lines: ['ENV A=1', random], later: ['ENV A=2', random] },
  { change: 'the user', expected: 'done again', lines: [random], later: ['USER 0:1', random] },
  { change: 'the shell', expected: 'done again', lines: [random], later: ['SHELL ["/bin/sh", "-ec"]', random] },
  {
    change: 'the folder of work',
    expected: 'done again',
    lines: ['WORKDIR /a', random],
    later: ['WORKDIR /b', random],
  },
  { change: 'a blank within a command', expected: 'done again', lines: [random], later: [random.replace('|', '| ')] },
  { change: 'a declared argument, used or not', expected: 'done again', lines: ['ARG DECLARED', random] },
  { change: 'a declared proxy', expected: 'done again', lines: ['ARG HTTP_PROXY', random] },
  {
    change: 'a mounted file',
    expected: 'done again',
    lines: [random.replace('RUN', 'RUN --mount=source={}/d,target=/m')],
    meanwhile: write('d/g', 'changed'),
  },
  {
    change: 'the size of a tmpfs',
    expected: 'done again',
    lines: [random.replace('RUN', 'RUN --mount=type=tmpfs,target=/t,size=1m')],
    later: [random.replace('RUN', 'RUN --mount=type=tmpfs,target=/t,size=2m')],
  },
];

/** Each row's stage, a stage that never comes out the same but for /kept, and one that gathers the numbers. */
function dockerfileOf(which: 'first' | 'second'): string {
  const stages = rows.flatMap((row, index) => {
    const lines = which === 'second' ? (row.later ?? row.lines) : row.lines;
    const own = lines.map((line) => line.replaceAll('{}', `row-${index}`).replaceAll('{i}', String(index)));
    const other = own.some((line) => line.includes(`other-${index}`))
      ? [`FROM busybox AS other-${index}`, `RUN echo kept > /kept; echo ${which} > /changing`]
      : [];
    return [...other, `FROM busybox AS row-${index}`, ...own];
  });
  const same = ['a', 'b'].flatMap((name) => [`FROM busybox AS same-${name}`, random]);
  const names = [...rows.keys(), 'same-a', 'same-b'];
  const gather = names.map((name) => `COPY --from=${typeof name === 'number' ? 'row-' : ''}${name} /r /${name}`);
  return [...stages, ...same, 'FROM scratch', ...gather].join('\n');
}

jest.setTimeout(60_000); // builds in a test, on machines with much else to do

const reason = whyNoBusyboxBase();

(reason === undefined ? describe : describe.skip)(
  `what is done again after a change of …${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let home: string;
    let base: readonly string[];
    const numbers: Record<'first' | 'second', readonly string[]> = { first: [], second: [] };

    beforeAll(async () => {
      home = await testHome();
      base = await busyboxBase(join(home, 'busybox'));
      const context = join(home, 'context');
      for (const index of rows.keys()) {
        const folder = join(context, `row-${index}`);
        mkdirSync(join(folder, 'd'), { recursive: true });
        writeFileSync(join(folder, 'f'), 'f');
        writeFileSync(join(folder, 'd/g'), `row ${index}`.padEnd(8));
        copyFileSync(join(folder, 'd/g'), join(folder, 'd/h'));
        utimesSync(join(folder, 'd/h'), 1_000_000_000, 1_000_000_000);
      }
      const build = async (which: 'first' | 'second', ...flags: readonly string[]) => {
        const output = join(home, which);
        const secret = join(home, 'secret');
        writeFileSync(secret, which);
        await slipway(
          [
            'build',
            '-q',
            ...base,
            ...flags,
            `--secret=id=s,src=${secret}`,
            '-o',
            `type=local,dest=${output}`,
            '-f',
            '-',
            context,
          ],
          { input: dockerfileOf(which) },
        );
        return rows.map((_, index) => readFileSync(join(output, String(index)), 'utf8'));
      };
      numbers.first = await build('first', '--build-arg=DECLARED=1', '--build-arg=HTTP_PROXY=http://one');
      for (const [index, { meanwhile }] of rows.entries()) meanwhile?.(join(context, `row-${index}`));
      const changed = ['--build-arg=DECLARED=2', '--build-arg=UNDECLARED=2', '--build-arg=HTTP_PROXY=http://other'];
      numbers.second = await build('second', ...changed);
    }, 180_000);

    it.each(rows.map(({ change, expected }, index) => [change, expected, index] as const))(
      '%s: %s',
      (_, expected, index) => {
        expect(numbers.first[index]).toMatch(/^[0-9a-f]{32} /);
        expect(numbers.second[index] === numbers.first[index] ? 'kept' : 'done again').toBe(expected);
      },
    );

    it('one step of two stages is done once', () => {
      const [a, b] = ['same-a', 'same-b'].map((name) => readFileSync(join(home, 'first', name), 'utf8'));
      expect(a).toBe(b);
    });

    it('a variable does not repeat a COPY after it', async () => {
      const context = join(home, 'context');
      const madeAt = async (value: string): Promise<number> => {
        const output = join(home, `env-${value}`);
        const input = `FROM scratch AS copy\nENV A=${value}\nCOPY row-0/f /new/inner/f\nFROM scratch\nCOPY --from=copy /new /new\n`;
        await slipway(['build', '-q', '-o', `type=local,dest=${output}`, '-f', '-', context], { input });
        return lstatSync(join(output, 'new/inner')).mtimeMs; // a folder that is made tells when
      };
      const first = await madeAt('1');
      await new Promise((resolve) => setTimeout(resolve, 1100));
      expect(await madeAt('2')).toBe(first);
    });

    it('clones under another umask are the same with --context-modes=git', async () => {
      const clone = (name: string, file: number, folder: number): string => {
        const root = join(home, name);
        cpSync(join(home, 'context', 'row-1'), root, { recursive: true });
        for (const path of ['f', 'd/g', 'd/h']) chmodSync(join(root, path), file);
        for (const path of ['d', '.']) chmodSync(join(root, path), folder);
        return root;
      };
      const build = async (context: string, ...flags: readonly string[]): Promise<string> => {
        const output = join(home, `umask-${flags.length}`);
        const input = `FROM busybox AS a\nCOPY . /src/\n${random}\nRUN --mount=target=/m stat -c "%a %n" /src/* /m/* > /modes\nFROM scratch\nCOPY --from=a /r /modes /\n`;
        await slipway(['build', '-q', ...base, ...flags, '-o', `type=local,dest=${output}`, '-f', '-', context], {
          input,
        });
        return ['r', 'modes'].map((name) => readFileSync(join(output, name), 'utf8')).join('');
      };
      const [wide, narrow] = [clone('wide', 0o664, 0o775), clone('narrow', 0o600, 0o700)];
      const first = await build(wide, '--context-modes=git');
      expect(first).toMatch(/755 \/src\/d\n644 \/src\/f\n755 \/m\/d\n644 \/m\/f\n$/);
      expect(await build(narrow, '--context-modes=git')).toBe(first);
      expect(await build(narrow)).not.toBe(first);
    });

    it('a file that changes between its reading and its copying is kept for what was copied', async () => {
      const context = join(home, 'changing');
      const file = join(context, 'd', 'f');
      mkdirSync(join(context, 'd'), { recursive: true });
      const input = [
        'FROM busybox',
        'COPY d /before',
        'RUN --mount=type=cache,id=changing,target=/c touch /c/waiting; until [ -e /c/go ]; do sleep 0.1; done',
        'COPY d /after',
      ].join('\n');
      const build = async (whileWaiting: (folder: string) => void): Promise<string> => {
        const output = join(home, 'changing-output');
        rmSync(output, { recursive: true, force: true });
        const building = slipway(['build', '-q', ...base, '-o', `type=local,dest=${output}`, '-f', '-', context], {
          input,
        });
        const waits = async (): Promise<void> => {
          for (let tries = 0; tries < 300; tries++) {
            const found = execFileSync('find', [join(home, 'store'), '-name', 'waiting'])
              .toString('utf8')
              .trim();
            if (found !== '') return whileWaiting(dirname(found));
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        };
        await Promise.race([building, waits()]);
        await building;
        return ['before', 'after'].map((name) => readFileSync(join(output, name, 'f'), 'utf8')).join(' ');
      };
      writeFileSync(file, 'old');
      const first = await build((folder) => {
        writeFileSync(file, 'new');
        writeFileSync(join(folder, 'go'), '');
      });
      writeFileSync(file, 'old');
      const second = await build(() => undefined);
      expect([first, second]).toEqual(['old new', 'old old']);
    });

    it('leaves nothing behind', async () => {
      expect(await leftovers(home)).toEqual([]);
    });
  },
);
