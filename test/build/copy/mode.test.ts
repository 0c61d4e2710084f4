import { describe, expect, it } from '@jest/globals';
import { modeChange } from '../../../src/build/copy/mode.ts';
import { parseFileMode } from '../../../src/dockerfile/index.ts';

const cases: readonly [text: string, mode: number, isFolder: boolean, expected: number][] = [
  ['0644', 0o777, false, 0o644],
  ['4755', 0o644, false, 0o4755],
  ['7', 0o644, false, 0o7],
  ['u=rwX,go=rX', 0o644, false, 0o644],
  ['u=rwX,go=rX', 0o744, false, 0o755],
  ['u=rwX,go=rX', 0o600, true, 0o755],
  ['a+x', 0o644, false, 0o755],
  ['+x', 0o644, false, 0o755],
  ['go-rwx', 0o777, false, 0o700],
  ['u+s', 0o755, false, 0o4755],
  ['g+s', 0o755, true, 0o2755],
  ['u-s', 0o4755, false, 0o755],
  ['+t', 0o777, true, 0o1777],
  ['-t', 0o1777, true, 0o777],
  ['g=u', 0o640, false, 0o660],
  ['o=g', 0o750, false, 0o755],
  ['u=rw,g+w-x', 0o755, false, 0o665],
  ['a=r', 0o777, false, 0o444],
];

describe('--chmod', () => {
  it.each(cases)('%s on %o (folder: %s) gives %o', (text, mode, isFolder, expected) => {
    expect(modeChange(parseFileMode(text))(mode, isFolder).toString(8)).toBe(expected.toString(8));
  });

  it.each(['64a', '10000', '', 'u', 'x+w', 'u=q', 'u+r,', '-1', '0o644'])('refuses %j', (text) => {
    expect(() => parseFileMode(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
