import { beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeWith, succeed } from './peer-programs.ts';
import { ownProgram } from './reachable-program.ts';
import { run, runCli, slipway, testHome } from './run-cli.ts';

// Checks of a Dockerfile, by `check` and by `build`.

let home: string;
let context: string;
const clean = 'FROM scratch\nCOPY a /\nUSER 1\n';
const dockerfile = 'FROM scratch as shop\nCOPY a /\nENV NAME $HOST\nUSER 1\n';

beforeAll(async () => {
  home = await testHome();
  context = join(home, 'shop');
  await mkdir(context);
  await writeFile(join(context, 'Dockerfile'), dockerfile);
  await writeFile(join(context, 'clean.Dockerfile'), clean);
  await writeFile(join(context, '.dockerignore'), 'a\n');
  await writeFile(join(context, 'clean.Dockerfile.dockerignore'), 'b\n');
});

const rulesOf = (output: string) => output.match(/(?<=^WARNING: )\w+/gm) ?? [];

describe('check', () => {
  it('shows what it finds, and is content', async () => {
    const { code, stdout, stderr } = await runCli(['check'], { cwd: context });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Check complete, 4 warnings have been found!\n/);
    expect(rulesOf(stdout)).toEqual(['FromAsCasing', 'CopyIgnoredFile', 'UndefinedVar', 'LegacyKeyValueFormat']);
  });

  it('fails where it is asked to', async () => {
    expect(await runCli(['check', '--error'], { cwd: context })).toMatchObject({ code: 1 });
    expect(await runCli(['check', '--error', 'clean.Dockerfile'], { cwd: context })).toMatchObject({ code: 0 });
    const input = '# check=error=true\nFROM scratch as a\n';
    expect(await runCli(['check', '-'], { input })).toMatchObject({ code: 1 });
  });

  it('takes several files, each with the ignore file beside it', async () => {
    const stdout = await slipway(['check', 'clean.Dockerfile', 'Dockerfile'], { cwd: context });
    expect(stdout).toContain('\nDockerfile:2:6\n');
    expect(stdout).not.toContain('clean.Dockerfile:');
  });

  it.each([
    ['json', '"ruleName": "FromAsCasing"'],
    ['sarif', '"ruleId": "FromAsCasing"'],
    ['github', '::warning file=Dockerfile,line=1,endLine=1,col=14,endColumn=16,title=FromAsCasing::'],
  ])('speaks %s', async (format, words) => {
    expect(await slipway(['check', '--format', format], { cwd: context })).toContain(words);
  });

  it('heeds build arguments, target and context', async () => {
    const input = 'ARG V\nFROM scratch AS a\nENV A $B\nFROM scratch AS b\nCOPY a /\n';
    const args = ['check', '--target=a', '--build-arg=V=1', '-'];
    expect(rulesOf(await slipway(args, { input }))).toEqual(['UndefinedVar', 'LegacyKeyValueFormat']);
    const beside = await slipway(['check', '--target=b', '--context', context, '-'], { input });
    expect(rulesOf(beside)).toEqual(['CopyIgnoredFile']);
  });

  it('goes on behind a file that it cannot read, and fails', async () => {
    await mkdir(join(context, 'folder', 'folder'), { recursive: true });
    await writeFile(join(context, 'folder', 'folder', 'nested'), clean);
    const files = ['nosuch', 'folder', 'folder/nested', 'Dockerfile'];
    const { code, stdout, stderr } = await runCli(['check', ...files], { cwd: context });
    expect({ code, rules: rulesOf(stdout).length }).toEqual({ code: 1, rules: 4 });
    expect(stderr.trimEnd().split('\n')).toEqual([
      'ERROR: failed to read dockerfile: open nosuch: no such file or directory',
      'ERROR: failed to read dockerfile: open folder: is a directory',
      'ERROR: failed to read dockerfile: open folder/nested: no such file or directory',
    ]);
  });

  it('looks for a Containerfile too', async () => {
    const folder = join(home, 'containerfile');
    await mkdir(folder);
    await writeFile(join(folder, 'Containerfile'), dockerfile);
    expect(await slipway(['check'], { cwd: folder })).toContain('\nContainerfile:1:14\n');
    expect(await slipway(['format'], { cwd: folder })).toContain('FROM scratch AS shop\n');
  });

  it('reads from a pipe, which cannot be mended', async () => {
    const { node, launcher } = ownProgram;
    const script = '"$0" "$1" check --fix <(echo FROM a as b)';
    const result = await run('bash', ['-c', script, node, launcher], { cwd: context });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^ERROR: cannot rewrite \/dev\/fd\/\d+: it is no file\n/);
  });

  it.each<
    readonly [what: string, args: string[], input: string, stderr: RegExp | '', stdout: RegExp | '', code: number]
  >([
    ['a file that is not there', ['nosuch'], '', /open nosuch: no such file/, '', 1],
    [
      'a file that cannot be built',
      ['-'],
      'FROM a\nCOPY --form=b c d\n',
      '',
      /ERROR: .*unknown flag: --form \(did you mean from\?\)\nDockerfile:2:6\n/,
      1,
    ],
    ['no Dockerfile at all', ['-'], '', '', /ERROR: Dockerfile: file with no instructions/, 1],
    [
      'a rule that is none',
      ['--skip=MissingUser,MissingUsr'],
      '',
      /no rule "MissingUsr" \(did you mean MissingUser\?\)/,
      '',
      125,
    ],
    ['two formats', ['--json', '--format=sarif'], '', /--json and --format sarif cannot be used together/, '', 125],
    ['a format that is none', ['--format=xml'], '', /expected one of human, json, sarif, github/, '', 125],
  ])('says what is wrong with %s', async (_, args, input, stderr, stdout, code) => {
    const result = await runCli(['check', ...args], { cwd: context, input });
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(stderr);
    expect(result.stdout).toMatch(stdout);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });
});

describeWith([], 'a build that checks', () => {
  beforeAll(async () => {
    const archive = join(home, 'base.tar');
    await succeed('tar', ['-cf', archive, '-C', context, 'Dockerfile']);
    await slipway(['import', '-c', 'ENV HOST=here', '-c', 'USER nobody', archive, 'base:1']);
  }, 60_000);

  const input = 'FROM base:1 AS shop\nENV NAME=$HOST\nENV OTHER=$NOBODY\n';

  it('knows the variables of the base', async () => {
    for (const call of [['--check'], ['--call=check'], ['--call', 'lint']]) {
      const { code, stdout } = await runCli(['build', ...call, '-f', '-', context], { input });
      expect(code).toBe(1);
      expect(rulesOf(stdout)).toEqual(['UndefinedVar']);
    }
  });

  it('fails only where that is wanted', async () => {
    const { code } = await runCli(['build', '--call=check,ignorestatus=true', '-'], { input });
    expect(code).toBe(0);
    expect(await slipway(['build', '--check', '-'], { input: 'FROM base:1\n' })).toBe(
      'Check complete, no warnings found.\n',
    );
  });

  it('gives JSON as docker does', async () => {
    const { stdout } = await runCli(['build', '--call=check,format=json', '-'], { input });
    expect(JSON.parse(stdout)).toMatchObject({
      warnings: [{ ruleName: 'UndefinedVar', location: { ranges: [{ start: { line: 3 }, end: { line: 3 } }] } }],
      sources: [{ filename: 'Dockerfile', data: Buffer.from(input).toString('base64') }],
    });
  });

  it('sums up its findings while it builds', async () => {
    const { code, stderr } = await runCli(['build', '-'], { input });
    expect(code).toBe(0);
    expect(stderr).toContain(
      "WARNING: 1 warning found in the Dockerfile (slipway check shows where):\n - UndefinedVar: Usage of undefined variable '$NOBODY' (line 3)\n",
    );
  });

  it('stops where the file wants no finding', async () => {
    const { code, stderr } = await runCli(['build', '-'], { input: `# check=error=true\n${input}` });
    expect(code).toBe(1);
    expect(stderr).toContain('ERROR: lint violation found for rules: UndefinedVar\n');
  });

  it('tells what it can be given', async () => {
    const given = `# V the version\nARG V=1\n# shop sells\nFROM base:1 AS shop\nARG V\nRUN --mount=type=secret,id=key,required --mount=type=ssh x\n`;
    expect(await slipway(['build', '--call=outline', '-'], { input: given })).toBe(
      [
        'TARGET:      shop',
        'DESCRIPTION: sells',
        '',
        'BUILD ARG   VALUE   DESCRIPTION',
        'V           1       the version',
        '',
        'SECRET   REQUIRED',
        'key      true',
        '',
        'SSH       REQUIRED',
        'default   ',
        '',
        '',
      ].join('\n'),
    );
    expect(JSON.parse(await slipway(['build', '--call=outline,format=json', '-'], { input: given }))).toMatchObject({
      name: 'shop',
      args: [{ name: 'V', value: '1' }],
      secrets: [{ name: 'key', required: true }],
      ssh: [{ name: 'default' }],
    });
  });
});

describe('check --fix', () => {
  const text = 'FROM debian as x\nRUN apt-get install -y a\nENV A b\nENV C=$D\n';
  const mended = 'FROM debian AS x\nRUN apt-get install --no-install-recommends -y a\nENV A=b\nENV C=$D\n';

  it('mends the file, and shows what is left', async () => {
    const file = join(home, 'mend.Dockerfile');
    await writeFile(file, text, { mode: 0o640 });
    const { code, stdout, stderr } = await runCli(['check', '--fix', file]);
    expect({ code, stderr, rules: rulesOf(stdout) }).toEqual({
      code: 0,
      stderr: `${file}: 3 mended\n`,
      rules: ['UnpinnedBaseImage'],
    });
    expect(await readFile(file, 'utf8')).toBe(mended);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect((await runCli(['check', '--fix', file])).stderr).toBe('');
  });

  it('gives the text of standard input back', async () => {
    const { code, stdout, stderr } = await runCli(['check', '--fix', '-'], { input: text });
    expect({ code, stdout }).toEqual({ code: 0, stdout: mended });
    expect(rulesOf(stderr)).toEqual(['UnpinnedBaseImage']);
  });

  it('mends by the rules that are asked', async () => {
    const { stdout } = await runCli(['check', '--fix', '--rules=docker', '--skip=FromAsCasing,MissingUser', '-'], {
      input: text,
    });
    expect(stdout).toBe(text.replace('ENV A b', 'ENV A=b'));
  });

  it('leaves alone what it only looks at, and what cannot be read', async () => {
    expect(await readFile(join(context, 'Dockerfile'), 'utf8')).toBe(dockerfile);
    const input = 'FROM a as b\nFORM c\n';
    expect(await runCli(['check', '--fix', '-'], { input })).toMatchObject({
      code: 1,
      stdout: input,
    });
  });
});
