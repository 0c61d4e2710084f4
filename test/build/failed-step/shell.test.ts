import { expect, test } from '@jest/globals';
import { shellOf, terminalEnv } from '../../../src/build/failed-step/shell.ts';

test.each([
  [['/bin/bash', '-o', 'pipefail', '-c', 'x'], ['/bin/bash']],
  [['zsh', '-c', 'x'], ['zsh']],
  [
    ['/bin/sh', '-c', 'x'],
    ['/bin/sh', '-c', "command -v bash >/dev/null 2>&1 && exec bash; exec '/bin/sh'"],
  ],
  [
    ["/o'dd/sh", '-c', 'x'],
    ["/o'dd/sh", '-c', "command -v bash >/dev/null 2>&1 && exec bash; exec '/o'\\''dd/sh'"],
  ],
  [
    ['/usr/bin/python3', '-c', 'x'],
    ['/bin/sh', '-c', "command -v bash >/dev/null 2>&1 && exec bash; exec '/bin/sh'"],
  ],
])('a step that ran %j gets the shell %j', (args, expected) => {
  expect(shellOf({ args })).toEqual(expected);
});

test('programs are told the kind of terminal, where there is one', () => {
  expect(terminalEnv('plain')).toEqual([]);
  expect(terminalEnv(undefined)).toEqual([]);
  expect(terminalEnv('terminal')).toEqual([expect.stringMatching(/^TERM=[\w.+-]+$/)]);
});
