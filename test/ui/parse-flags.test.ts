import { describe, expect, it } from '@jest/globals';
import { type CommandSyntax, parseLine } from '../../src/ui/index.ts';

const syntax: CommandSyntax = {
  strict: true,
  passThrough: false,
  flags: {
    tag: { type: 'option', char: 't', multiple: true },
    file: { type: 'option', char: 'f' },
    quiet: { type: 'boolean', char: 'q' },
    interactive: { type: 'boolean', char: 'i' },
    cache: { type: 'boolean', allowNo: true, default: true },
    progress: { type: 'option', options: ['auto', 'plain'], default: 'auto' },
    level: { type: 'option', parse: async (input: string) => Number(input) * 2 },
    'build-arg': { type: 'option', multiple: true },
    cap: { type: 'option', multiple: true, delimiter: ',' },
    json: { type: 'boolean', exclusive: ['quiet'] },
  },
  args: { path: { required: true } },
};
const anyArgs: CommandSyntax = { ...syntax, strict: false, args: {} };

describe('parseLine', () => {
  const cases: readonly (readonly [name: string, argv: readonly string[], flags: object, argv: readonly string[]])[] = [
    ['flags may follow arguments', ['.', '-t', 'a'], { tag: ['a'] }, ['.']],
    ['a list does not swallow arguments', ['-t', 'a', '.'], { tag: ['a'] }, ['.']],
    ['a list grows', ['-t', 'a', '--tag=b', '-tc', '.'], { tag: ['a', 'b', 'c'] }, ['.']],
    ['one value may hold several', ['--cap', 'A,B', '--cap=C', '.'], { cap: ['A', 'B', 'C'] }, ['.']],
    ['of a repeated scalar the last one wins', ['-f', 'a', '--file', 'b', '.'], { file: 'b' }, ['.']],
    ['shorts stand together', ['-qi', '.'], { quiet: true, interactive: true }, ['.']],
    ['the last of them may have a value', ['-qfDockerfile.dev', '.'], { quiet: true, file: 'Dockerfile.dev' }, ['.']],
    ['a short value may follow =', ['-f=x', '.'], { file: 'x' }, ['.']],
    ['switches take true and false', ['--quiet=false', '-i=1', '.'], { quiet: false, interactive: true }, ['.']],
    ['switches have a --no- form', ['--no-cache', '.'], { cache: false }, ['.']],
    ['--no-x=false is x', ['--no-cache=false', '.'], { cache: true }, ['.']],
    [
      'a value may look like a flag',
      ['--build-arg', '--quiet', '-f', '-', '.'],
      { 'build-arg': ['--quiet'], file: '-' },
      ['.'],
    ],
    ['a value may be empty', ['--file=', '.'], { file: '' }, ['.']],
    ['a value may contain =', ['--build-arg=A=b=c', '.'], { 'build-arg': ['A=b=c'] }, ['.']],
    ['- is an argument', ['-'], {}, ['-']],
    ['after -- all are arguments', ['--', '-q'], {}, ['-q']],
    ['values are parsed', ['--level', '4', '.'], { level: 8 }, ['.']],
  ];
  it.each(cases)('%s', async (_, argv, flags, positionals) => {
    const parsed = await parseLine(argv, syntax);
    expect(parsed.flags).toEqual({ cache: true, progress: 'auto', ...flags });
    expect(parsed.argv).toEqual(positionals);
    expect(parsed.args).toEqual({ path: positionals[0] });
  });

  it("leaves another program's words alone", async () => {
    const parsed = await parseLine(['-q', 'busybox', 'sh', '-c', 'x', '--', '-t'], { ...anyArgs, passThrough: true });
    expect(parsed).toEqual({
      flags: { quiet: true, cache: true, progress: 'auto' },
      args: {},
      argv: ['busybox', 'sh', '-c', 'x', '--', '-t'],
    });
  });

  it.each([
    [['a'], { sources: [], target: 'a' }],
    [['a', 'b'], { sources: ['a'], target: 'b' }],
    [['a', 'b', 'c'], { sources: ['a', 'b'], target: 'c' }],
  ])('a list of arguments leaves the last one to what follows: %j', async (argv, args) => {
    const list = { ...syntax, args: { sources: { multiple: true }, target: { required: true } } };
    expect((await parseLine(argv, list)).args).toEqual(args);
  });

  it.each([
    [['--nope', '.'], 'unknown flag: --nope'],
    [['-qx', '.'], "unknown shorthand flag: 'x' in -qx"],
    [['.', '--file'], 'flag needs an argument: --file'],
    [['.', '-qf'], "flag needs an argument: 'f' in -qf"],
    [['--quiet=maybe', '.'], 'invalid argument "maybe" for "--quiet" flag'],
    [['--progress', 'loud', '.'], 'invalid argument "loud" for "--progress" flag: expected one of auto, plain'],
    [['--json', '-q', '.'], '--json and --quiet cannot be used together'],
    [[], 'requires 1 argument'],
    [['a', 'b'], 'requires 1 argument'],
  ])('%j is wrong: %s', async (argv, message) => {
    await expect(parseLine(argv, syntax)).rejects.toMatchObject({
      code: 'USAGE',
      exitCode: 125,
      message: expect.stringContaining(message),
    });
  });

  it.each([
    [{ a: {} }, ['x', 'y'], 'requires at most 1 argument'],
    [{}, ['x'], 'accepts no arguments'],
    [{ a: { required: true, multiple: true } }, [], 'requires at least 1 argument'],
    [{ a: { required: true }, b: { required: true } }, ['x'], 'requires 2 arguments'],
  ])('with arguments %j, %j is wrong', async (args, argv, message) => {
    await expect(parseLine(argv, { ...syntax, args })).rejects.toMatchObject({ message });
  });
});
