import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCli, slipway } from './run-cli.ts';

const odd = 'from  a as b\nrun  c \\\n  d\n';
const tidy = 'FROM a AS b\nRUN c \\\n  d\n';

describe('format', () => {
  let cwd = '';
  const file = (name: string) => join(cwd, name);

  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'slipway-format-'));
    await writeFile(file('Dockerfile'), odd);
    await writeFile(file('tidy'), tidy);
  });

  afterEach(() => rm(cwd, { recursive: true, force: true }));

  it('prints the Dockerfile of the folder, and leaves it', async () => {
    expect(await slipway(['format'], { cwd })).toBe(tidy);
    expect(await readFile(file('Dockerfile'), 'utf8')).toBe(odd);
  });

  it('prints standard input, bytes that are no UTF-8 too', async () => {
    expect(await slipway(['format', '-'], { cwd, input: odd })).toBe(tidy);
    await writeFile(file('latin'), Buffer.from('from a\nRUN echo \xff\n', 'latin1'));
    await slipway(['format', '-w', 'latin'], { cwd });
    expect(await readFile(file('latin'), 'latin1')).toBe('FROM a\nRUN echo \xff\n');
  });

  it('--write rewrites what changes and names it', async () => {
    const before = await stat(file('tidy'));
    expect(await slipway(['format', '--write', 'Dockerfile', 'tidy'], { cwd })).toBe('Dockerfile\n');
    expect(await readFile(file('Dockerfile'), 'utf8')).toBe(tidy);
    expect((await stat(file('tidy'))).ino).toBe(before.ino);
    expect(await slipway(['format', '-w', 'Dockerfile'], { cwd })).toBe('');
  });

  it('--write follows a link', async () => {
    await symlink('Dockerfile', file('link'));
    expect(await slipway(['format', '-w', 'link'], { cwd })).toBe('link\n');
    expect(await readFile(file('Dockerfile'), 'utf8')).toBe(tidy);
  });

  it('--check names what would change and fails', async () => {
    expect(await runCli(['format', '--check', 'tidy', 'Dockerfile'], { cwd })).toMatchObject({
      code: 1,
      stdout: 'Dockerfile\n',
      stderr: '',
    });
    expect(await runCli(['format', '--check', 'tidy'], { cwd })).toMatchObject({ code: 0, stdout: '' });
    expect(await readFile(file('Dockerfile'), 'utf8')).toBe(odd);
  });

  it('--diff shows what would change', async () => {
    expect(await slipway(['format', '--diff', 'Dockerfile', 'tidy'], { cwd })).toBe(
      '--- Dockerfile\n+++ Dockerfile\n@@ -1,3 +1,3 @@\n-from  a as b\n-run  c \\\n+FROM a AS b\n+RUN c \\\n   d\n',
    );
    expect(await runCli(['format', '--diff', '--check'], { cwd })).toMatchObject({ code: 1 });
  });

  it('--json says of each file whether it changes', async () => {
    expect(JSON.parse(await slipway(['format', '--json', 'Dockerfile', 'tidy'], { cwd }))).toEqual([
      { file: 'Dockerfile', changed: true },
      { file: 'tidy', changed: false },
    ]);
    expect(await runCli(['format', '--json', '--check'], { cwd })).toMatchObject({ code: 1 });
  });

  it('goes on behind a file that it cannot read, and fails', async () => {
    await writeFile(file('bad'), 'FROM a\nENV A\n');
    await writeFile(file('empty'), '');
    const { code, stdout, stderr } = await runCli(['format', '-w', 'bad', 'none', 'empty', 'Dockerfile'], { cwd });
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'Dockerfile\n' });
    expect(stderr).toContain('bad: dockerfile parse error on line 2: ENV must have two arguments');
    expect(stderr).toContain('cannot read none: no such file or directory');
    expect(stderr).toContain('empty: file with no instructions');
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(await readFile(file('bad'), 'utf8')).toBe('FROM a\nENV A\n');
  });

  it.each([
    ['standard input cannot be rewritten', ['-w', '-'], 'standard input cannot be rewritten'],
    ['rewriting is no check', ['--write', '--check'], '--write and --check cannot be used together'],
    ['a diff is no JSON', ['--diff', '--json'], '--diff and --json cannot be used together'],
    ['unknown flags', ['--fix'], 'unknown flag: --fix'],
  ])('wrong usage: %s', async (_, args, message) => {
    const { code, stdout, stderr } = await runCli(['format', ...args], { cwd });
    expect({ code, stdout }).toEqual({ code: 125, stdout: '' });
    expect(stderr).toContain(message);
  });
});
