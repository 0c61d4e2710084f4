import { PassThrough } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { describe, expect, it } from '@jest/globals';
import { askPassword, confirm } from '../../src/ui/index.ts';

/** A terminal to type at. */
function terminal(): PassThrough & { raw: boolean[] } {
  const raw: boolean[] = [];
  return Object.assign(new PassThrough(), { isTTY: true, raw, setRawMode: (on: boolean) => raw.push(on) });
}

describe('askPassword', () => {
  it.each([
    ['ends at return', ['sec', 'ret\r'], 'secret'],
    ['takes back what is erased', ['secx\u007fret\n'], 'secret'],
    ['erases whole characters', ['a😀\u007fb\n'], 'ab'],
  ])('%s and shows nothing of it', async (_, typed, password) => {
    const input = terminal();
    const output = new PassThrough();
    const answer = askPassword('Password: ', { input: input as unknown as ReadStream, output });
    for (const part of typed) input.write(part);
    expect(await answer).toBe(password);
    expect(String(output.read())).toBe('Password: \n');
    expect(input.raw).toEqual([true, false]);
  });

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('gives up at %s and restores the terminal', async (_, key) => {
    const input = terminal();
    const answer = askPassword('Password: ', { input: input as unknown as ReadStream, output: new PassThrough() });
    input.write(`abc${key}`);
    await expect(answer).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(input.raw).toEqual([true, false]);
  });

  it('asks only terminals', async () => {
    const input = new PassThrough() as unknown as ReadStream;
    await expect(askPassword('Password: ', { input })).rejects.toMatchObject({ code: 'NOT_A_TERMINAL' });
  });
});

describe('confirm', () => {
  it.each([
    ['y\n', true],
    ['Yes\n', true],
    ['n\n', false],
    ['\n', false],
  ])('%j is %s', async (typed, expected) => {
    const input = new PassThrough();
    input.end(typed);
    expect(await confirm('All will go.', { input: input as unknown as ReadStream, output: new PassThrough() })).toBe(
      expected,
    );
  });

  it('takes silence for an error, not for an answer', async () => {
    const input = new PassThrough();
    input.end();
    const answer = confirm('All will go.', { input: input as unknown as ReadStream, output: new PassThrough() });
    await expect(answer).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
