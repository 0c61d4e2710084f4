import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type BuildStage, cache, from, literal, parse, secret } from '../../src/dockerfile/index.ts';
import { trim } from '../../src/dockerfile/text.ts';
import { graphOf } from './build-inputs.ts';

/** What some reader of a Dockerfile takes for more than itself. */
const troublesome = fc.constantFrom(
  ...Array.from(`"'\`\\<>[]{}()#=,:;-/.@*?!%&|~^+ \t\r\v\f\u0085\u00a0\u2028\ufeff\u0000\u007faAxé漢`),
  '\u{1f600}',
  '<<EOF',
  'EOF',
  '--',
  '["a"]',
  '\\\\',
  'AS ',
);
const characters = fc.oneof({ weight: 4, arbitrary: troublesome }, fc.string({ unit: 'binary', maxLength: 3 }));
const texts = fc.array(characters, { maxLength: 12 }).map((parts) => parts.join(''));

/** Strings that no variable is in. */
const plain = texts.map((text) => text.replaceAll('$', ''));
const dollars = fc
  .array(fc.oneof(characters, fc.constantFrom('$', '$A', '${A}', '${A', '$$', '${A:-x}')), { maxLength: 10 })
  .map((parts) => literal(parts.join('')));
const values = fc.oneof(plain, dollars);
const charactersOf = (value: string | { literal: string }) => (typeof value === 'string' ? value : value.literal);

const onOneLine = values.filter((value) => !charactersOf(value).includes('\n'));
const notEmpty = <T extends string | { literal: string }>(value: T) => charactersOf(value) !== '';

const base = from('a');
const imageOf = (stage: BuildStage) => graphOf(stage.toDockerfile()).image;
const lastOf = (stage: BuildStage) => graphOf(stage.toDockerfile()).steps.at(-1);
const madeBy = (stage: BuildStage) => imageOf(stage).history.at(-1)?.createdBy;

type Value = string | { readonly literal: string };

describe('a value comes out as it went in', () => {
  it.each<[place: string, values: fc.Arbitrary<Value>, carried: (value: Value) => unknown]>([
    [
      'ENV',
      onOneLine,
      (value) =>
        imageOf(base.env({ B: 'x', A: value }))
          .config.Env?.at(-1)
          ?.slice('A='.length),
    ],
    ['LABEL', onOneLine, (value) => imageOf(base.label({ A: value })).config.Labels?.['A']],
    ['ARG', onOneLine, (value) => madeBy(base.arg('A', value))?.slice('ARG A='.length)],
    [
      'a global ARG',
      onOneLine,
      (value) =>
        imageOf(
          from('a', { args: { A: value } })
            .arg('A')
            .label({ A: '$A' }),
        ).config.Labels?.['A'],
    ],
    ['USER', onOneLine, (value) => imageOf(base.user(value)).config.User],
    ['VOLUME', values.filter(notEmpty), (value) => imageOf(base.volume(value)).config.Volumes?.[0]],
    ['COPY --chown', onOneLine.filter(notEmpty), (value) => fieldOf(base.copy('a', '/', { chown: value }), 'owner')],
    ['COPY --exclude', onOneLine, (value) => fieldOf(base.copy('a', '/', { exclude: ['x', value] }), 'exclude')?.[1]],
    [
      'the id of a mount',
      onOneLine.filter(notEmpty),
      (value) => mountOf(base.run('a', { mounts: [cache('/c', { id: value })] })).id,
    ],
    [
      'the variable of a secret',
      onOneLine.filter(notEmpty),
      (value) => mountOf(base.run('a', { mounts: [secret('s', { env: value })] })).env,
    ],
  ])('%s', (_place, arbitrary, carried) => {
    fc.assert(
      fc.property(arbitrary, (value) => expect(carried(value)).toBe(charactersOf(value))),
      { numRuns: 500 },
    );
  });

  it('WORKDIR', () => {
    fc.assert(
      fc.property(onOneLine, (value) => {
        const path = `/${charactersOf(value)}`;
        const given = typeof value === 'string' ? path : literal(path);
        expect(imageOf(base.workdir(given)).config.WorkingDir).toBe(path);
      }),
    );
  });

  it('paths of COPY', () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 3 }), (list) => {
        // A path that begins with ./ is neither a flag nor a URL.
        const paths = list.map((value) => (typeof value === 'string' ? `./${value}` : literal(`./${value.literal}`)));
        const [first = '', ...more] = paths;
        const written = paths.map(charactersOf).join(' ');
        expect(madeBy(base.copy(paths, '/d'))).toBe(`COPY ${written} /d # buildkit`);
        expect(madeBy(base.copy([...more, 'x'], first))).toBe(
          `COPY ${[...more, 'x', first].map(charactersOf).join(' ')} # buildkit`,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('names of ENV and LABEL', () => {
    const names = onOneLine
      .map(charactersOf)
      .map((name) => name.replace(/[$=]/g, ''))
      .filter(notEmpty);
    fc.assert(
      fc.property(names, (name) => {
        expect(imageOf(base.label({ [name]: 'x' })).config.Labels).toEqual({ [name]: 'x' });
      }),
      { numRuns: 500 },
    );
  });

  it('lists of arguments', () => {
    const lists = fc.array(fc.oneof(texts, dollars.map(charactersOf)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(lists, (list) => {
        expect(lastOf(base.run(list))).toMatchObject({ args: list });
        const { config } = imageOf(base.cmd(list).shell(list).healthcheck(list));
        expect(config).toMatchObject({ Cmd: list, Shell: list, Healthcheck: { Test: ['CMD', ...list] } });
        expect(imageOf(base.entrypoint(list)).config.Entrypoint).toEqual(list);
      }),
      { numRuns: 300 },
    );
  });

  it('texts of files', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 4 }), (list) => {
        const text = list.map(charactersOf).join('\n');
        const given = list.some((value) => typeof value !== 'string') ? literal(text) : text;
        expect(fieldOf(base.write('/f', given), 'sources')).toMatchObject([{ content: ended(text) }]);
      }),
      { numRuns: 500 },
    );
  });

  it('scripts', () => {
    const scripts = fc.array(values.map(charactersOf), { minLength: 2, maxLength: 5 }).map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(
        scripts.filter((text) => trim(text).includes('\n')),
        (text) => {
          const step = lastOf(base.run(text));
          if (step?.kind !== 'run') throw new Error('no run step');
          expect(step.pipes[0]?.content ?? step.args.at(-1)).toBe(ended(text));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('lines for the shell, but for the blanks around them', () => {
    const lines = onOneLine
      .map(charactersOf)
      .filter((line) => trim(line) !== '' && !line.endsWith('\\') && !line.startsWith('#!'));
    fc.assert(
      fc.property(lines, (line) => {
        const step = lastOf(base.run(line));
        if (step?.kind !== 'run') throw new Error('no run step');
        expect([trim(line), `${line}\n`]).toContain(step.args.at(-1));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('variables in strings', () => {
  const pieces = fc.oneof(
    plain.map((text) => ({ written: text, meant: text })),
    fc.constantFrom({ written: '${V}', meant: 'v"\\ ' }, { written: '${W:-}', meant: '' }),
    plain.map((text) => text.replace(/[}\n]/g, '')).map((text) => ({ written: `\${W:-${text}}`, meant: text })),
    plain.map((text) => text.replace(/[}\n]/g, '')).map((text) => ({ written: `\${W:-\${V:+${text}}}`, meant: text })),
  );
  const sentences = fc.array(pieces, { minLength: 1, maxLength: 5 }).map((list) => ({
    written: list.map(({ written }) => written).join(''),
    meant: list.map(({ meant }) => meant).join(''),
  }));
  const stage = base.env({ V: 'v"\\ ' });

  it('are expanded, and all around them stays', () => {
    fc.assert(
      fc.property(
        sentences.filter(({ written }) => !written.includes('\n')),
        ({ written, meant }) => {
          expect(imageOf(stage.user(written)).config.User).toBe(meant);
          expect(imageOf(stage.label({ A: written })).config.Labels?.['A']).toBe(meant);
          expect(madeBy(stage.copy(`./${written}`, '/d'))).toBe(`COPY ./${meant} /d # buildkit`);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are expanded in texts of files', () => {
    fc.assert(
      fc.property(sentences, ({ written, meant }) => {
        const content = meant + (written === '' || written.endsWith('\n') ? '' : '\n');
        expect(fieldOf(stage.write('/f', written), 'sources')).toMatchObject([{ content }]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('whatever the program', () => {
  const calls = fc.oneof(
    fc.record({ method: fc.constantFrom('env', 'label'), value: onOneLine }),
    fc.record({ method: fc.constantFrom('user', 'workdir', 'arg'), value: onOneLine }),
    fc.record({ method: fc.constantFrom('run', 'write', 'cmd', 'copy'), value: values }),
  );
  const programs = fc.array(calls, { maxLength: 8 });

  function write(program: readonly { readonly method: string; readonly value: Value }[]): BuildStage {
    return program.reduce((stage, { method, value }) => {
      switch (method) {
        case 'env':
        case 'label':
          return stage[method]({ A: value });
        case 'user':
        case 'workdir':
          return stage[method](value);
        case 'arg':
          return stage.arg('A', value);
        case 'write':
          return stage.write('/f', value);
        case 'run':
          return stage.run(`x\n${charactersOf(value)}`);
        case 'cmd':
          return stage.cmd([charactersOf(value)]);
        default:
          return stage.copy(value, '/');
      }
    }, base);
  }

  it('its text holds just the instructions that it called for', () => {
    fc.assert(
      fc.property(programs, (program) => {
        const { instructions } = parse(write(program).toDockerfile());
        const names = program.map(({ method }) => (method === 'write' ? 'COPY' : method.toUpperCase()));
        expect(instructions.map(({ name }) => name)).toEqual(['FROM', ...names]);
      }),
      { numRuns: 500 },
    );
  });

  it('equal ones give equal text', () => {
    fc.assert(
      fc.property(programs, (program) => {
        const twice = [write(program), write(program)].map((stage) => from('b').copy('/', '/', { from: stage }));
        expect(twice[0]?.toDockerfile()).toBe(twice[1]?.toDockerfile());
      }),
    );
  });
});

function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function fieldOf<Key extends 'owner' | 'exclude' | 'sources'>(stage: BuildStage, key: Key) {
  const step = lastOf(stage);
  if (step?.kind !== 'copy') throw new Error('no copy step');
  return step[key];
}

function mountOf(stage: BuildStage): { readonly id?: string; readonly env?: string } {
  const step = lastOf(stage);
  const mount = step?.kind === 'run' ? step.mounts[0] : undefined;
  if (mount === undefined || !('id' in mount)) throw new Error('no mount with an id');
  return mount;
}
