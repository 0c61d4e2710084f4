import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { SlipwayError, UsageError } from '../../src/errors.ts';
import { reportError } from '../../src/ui/index.ts';

class TestError extends SlipwayError {
  readonly code = 'TEST';
}

function report(error: unknown, debug = false): { code: number; text: string } {
  const stream = new PassThrough();
  const code = reportError(error, { command: 'image ls', debug, stream });
  return { code, text: String(stream.read()) };
}

describe('reportError', () => {
  it('shows message, details and hint, and gives the exit status', () => {
    const error = new TestError('it broke', { details: ['line 1', 'line 2'], hint: 'Mend it.', exitCode: 7 });
    expect(report(error)).toEqual({ code: 7, text: 'ERROR: it broke\nline 1\nline 2\nMend it.\n' });
  });

  it('points to the help after wrong usage', () => {
    expect(report(new UsageError('unknown flag: --x'))).toEqual({
      code: 125,
      text: "ERROR: unknown flag: --x\n\nSee 'slipway image ls --help'.\n",
    });
  });

  it('says of what it did not expect how to learn more', () => {
    const { code, text } = report(new TypeError('x is not a function'));
    expect(code).toBe(1);
    expect(text).toMatch(/^ERROR: x is not a function\n.*--debug.*\n$/);
  });

  it('shows stacks and causes when debugging', () => {
    const { text } = report(new TestError('outer', { cause: new Error('inner') }), true);
    expect(text).toMatch(/outer\n\s+at .*[\s\S]*caused by Error: inner\n\s+at /);
  });

  it.each([
    ['text that was thrown', 'boom', 'ERROR: boom\n'],
    ['nothing that was thrown', undefined, 'ERROR: undefined\n'],
    ['control characters', new TestError('no \u001b[2Jsuch image'), 'ERROR: no \\x1b[2Jsuch image\n'],
  ])('shows %s', (_, error, line) => {
    expect(report(error).text.startsWith(line)).toBe(true);
  });
});
