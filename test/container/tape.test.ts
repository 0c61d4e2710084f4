import { afterAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tape } from '../../src/container/sandbox/tape.ts';

const scratch = mkdtempSync(join(tmpdir(), 'slipway-tape-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const emulators = { x64: '/usr/bin/qemu-x86_64-static', arm64: '/usr/bin/qemu-aarch64-static' } as const;

function play(tape: Tape): { readonly code: number | null; readonly stdout: string; readonly report: Buffer } {
  const file = join(scratch, `${tape.machine}-${Math.random()}`);
  writeFileSync(file, tape.executable(), { mode: 0o700 });
  const argv = tape.machine === process.arch ? [file] : [emulators[tape.machine], file];
  const [command = '', ...args] = argv;
  const result = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
  return { code: result.status, stdout: result.stdout.toString(), report: result.output[3] as unknown as Buffer };
}

describe.each(['x64', 'arm64'] as const)('a tape for %s', (machine) => {
  const works = machine === process.arch || existsSync(emulators[machine]);
  const test = works ? it : it.skip; // skipped: neither this processor nor qemu-user-static is here

  const write = (tape: Tape, text: string): void =>
    tape.call('write', [1, tape.text(text), text.length], { purpose: `write ${text}` });
  const exit = (tape: Tape, code: number): void => tape.call('exit_group', [code], { purpose: 'end' });

  test('makes its calls in order', () => {
    const tape = new Tape(machine);
    write(tape, 'one ');
    write(tape, 'two');
    exit(tape, 7);
    expect(play(tape)).toMatchObject({ code: 7, stdout: 'one two' });
  });

  test('goes on after a failure that is tolerated, and only that', () => {
    const tape = new Tape(machine);
    tape.call('chdir', [tape.text('/no/such')], { purpose: 'a', tolerate: ['EPERM', 'ENOENT'] });
    write(tape, 'on');
    tape.call('chdir', [tape.text('/no/such')], { purpose: 'the wrong folder', tolerate: ['EPERM', 'EACCES'] });
    write(tape, 'never');
    exit(tape, 0);
    const { code, stdout, report } = play(tape);
    expect({ code, stdout }).toEqual({ code: 125, stdout: 'on' });
    expect(tape.failure(report)).toEqual({ index: 2, errno: constants.errno.ENOENT, purpose: 'the wrong folder' });
  });

  test('skips the alternative of a call that worked, not of one that failed', () => {
    const tape = new Tape(machine);
    tape.call('chdir', [tape.text('/')], { purpose: 'a', tolerate: 'all', elseNext: true });
    write(tape, 'never');
    tape.call('chdir', [tape.text('/no/such')], { purpose: 'b', tolerate: 'all', elseNext: true });
    write(tape, 'instead');
    exit(tape, 0);
    expect(play(tape)).toMatchObject({ code: 0, stdout: 'instead' });
  });

  test('becomes another program with its arguments and environment', () => {
    const tape = new Tape(machine);
    const file = '/bin/sh';
    const long = 'x'.repeat(100_000);
    const argv = tape.texts([file, '-c', 'echo "$0 $A ${#1}"', 'name', long]);
    tape.call('execve', [tape.text(file), argv, tape.texts(['A=b'])], { purpose: 'start' });
    expect(play(tape)).toMatchObject({ code: 0, stdout: 'name b 100000\n' });
  });
});
