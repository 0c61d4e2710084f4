import { describe, expect, it } from '@jest/globals';
import { runCli, slipway } from './run-cli.ts';

describe('debug ast', () => {
  it('shows the instructions of standard input', async () => {
    const input = '# comment\nFROM busybox AS base\nRUN echo a \\\n  b\nENV A=1 B="2 3"\n';
    expect(await slipway(['debug', 'ast', '-'], { input })).toBe(
      '(from "busybox" "AS" "base")\n(run "echo a   b")\n(env "A" "1" "=" "B" "\\"2 3\\"" "=")\n',
    );
  });

  it('keeps bytes that are no UTF-8', async () => {
    const { code } = await runCli(['debug', 'ast', '-'], { input: Buffer.from('FROM a\nRUN echo \xff\n', 'latin1') });
    expect(code).toBe(0);
  });

  it.each([
    ['a file that is not there', ['no-such-file'], '', 'cannot read no-such-file: ENOENT'],
    ['a file without instructions', ['-'], '# nothing\n', 'file with no instructions'],
    ['a heredoc without end', ['-'], 'FROM a\nRUN <<EOF\nx\n', 'unterminated heredoc'],
  ])('fails at %s without a stack', async (_, args, input, message) => {
    const { code, stdout, stderr } = await runCli(['debug', 'ast', ...args], { input });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
