import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runCli, testHome } from './run-cli.ts';

describe('the command line', () => {
  it('tells its version without loading commands', async () => {
    for (const flag of ['--version', '-v']) {
      const { code, stdout, stderr } = await runCli([flag]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^Slipway version \d+\.\d+\.\d+, build (?:[0-9a-f]{7,}|unknown)\n$/);
    }
  });

  it('renders `version` by a template', async () => {
    const { code, stdout } = await runCli(['version', '--format', '{{.Client.Os}}/{{.Client.Arch}}']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^linux\/(?:amd64|arm64)\n$/);
  });

  it('lists commands without arguments and with --help', async () => {
    for (const args of [[], ['--help'], ['help']]) {
      const { code, stdout } = await runCli(args);
      expect(code).toBe(0);
      expect(stdout).toMatch(/COMMANDS[\s\S]*\bversion\b/);
    }
  });

  it("shows a command's help, whatever else stands on the line", async () => {
    const { code, stdout } = await runCli(['version', '--nonsense', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--format');
  });

  const wrong: readonly (readonly [name: string, args: readonly string[], message: string])[] = [
    ['an unknown command', ['buid', '.'], 'ERROR: unknown command: slipway buid .'],
    ['an unknown flag', ['version', '--fromat=x'], 'ERROR: unknown flag: --fromat'],
    ['a flag without its value', ['version', '--format'], 'ERROR: flag needs an argument: --format'],
    ['an argument too many', ['version', 'now'], 'ERROR: accepts no arguments'],
  ];
  it.each(wrong)('ends with 125 at %s and points to the help', async (_, args, message) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 125, stdout: '' });
    expect(stderr).toContain(`${message}\n`);
    expect(stderr).toMatch(/See 'slipway (?:version )?--help'\.\n$/);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('shows where an error came from with --debug, before or after the command', async () => {
    for (const args of [
      ['--debug', 'version', 'now'],
      ['version', '--debug', 'now'],
    ]) {
      expect((await runCli(args)).stderr).toMatch(/\n\s+at /);
    }
  });

  it('says which format is wrong', async () => {
    const { code, stderr } = await runCli(['version', '--format', '{{.Client.Version']);
    expect({ code, stderr }).toEqual({ code: 64, stderr: 'ERROR: template parsing error: line 1: unclosed action\n' });
  });
});

describe('standard output', () => {
  it('arrives whole, however slowly it is read', async () => {
    const home = await testHome();
    const file = join(home, 'Dockerfile');
    const lines = Array.from({ length: 20_000 }, (_, index) => `RUN echo ${index} ${'x'.repeat(40)}`);
    await writeFile(file, ['FROM scratch', ...lines].join('\n'));
    const { code, stdout } = await runCli(['debug', 'ast', file]);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(lines.length + 1);
  });
});
