import { describe, expect, it } from '@jest/globals';
import { readlinkSync } from 'node:fs';
import { openOutputPipe, startProcess } from '../../src/system/index.ts';

interface Seen {
  readonly code: number | null;
  readonly signal: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function shell(script: string): { readonly seen: Promise<Seen>; kill(): void } {
  const [stdout, stderr] = [openOutputPipe(), openOutputPipe()];
  const text = { stdout: '', stderr: '' };
  stdout.stream.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()));
  stderr.stream.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()));
  const child = startProcess(['/bin/sh', '-c', script], { stdio: ['nothing', stdout, stderr], newSession: true });
  return { seen: child.ended.then((end) => ({ ...end, ...text })), kill: () => child.kill() };
}

describe('startProcess', () => {
  const cases: readonly (readonly [string, string, Partial<Seen>])[] = [
    ['tells the exit code', 'exit 3', { code: 3, signal: null }],
    ['tells the signal', 'kill -9 $$', { code: null, signal: 9 }],
    ['keeps both outputs apart', 'echo one; echo two >&2', { stdout: 'one\n', stderr: 'two\n' }],
    ['lets output be opened again', 'echo again >/dev/stderr', { code: 0, stderr: 'again\n' }],
    ['takes all of a long output', 'head -c 300000 /dev/zero | tr "\\0" x', { stdout: 'x'.repeat(300_000) }],
    ['gives no input', 'cat', { code: 0, stdout: '' }],
    ['gives signals that Node ignores their meaning', 'kill -PIPE $$; echo alive', { signal: 13, stdout: '' }],
    ['begins in the root folder', 'pwd', { stdout: '/\n' }],
    ['hands on nothing of our environment', 'echo "$HOME$NODE_OPTIONS"', { stdout: '\n' }],
    ['starts a session', 'test "$(cut -d " " -f 6 /proc/$$/stat)" = $$ && echo own', { stdout: 'own\n' }],
    ['waits for whoever has the output', '(sleep 0.1; echo late) & echo early', { stdout: 'early\nlate\n' }],
    ['hands on no other files', 'ls -l /proc/self/fd | grep -c -v -e pipe: -e null', { stdout: '2\n' }],
  ];
  it.each(cases)('%s', async (_name, script, expected) => {
    expect(await shell(script).seen).toMatchObject(expected);
  });

  it('kills, and leaves a process alone that has ended', async () => {
    const child = shell('exec sleep 100');
    child.kill();
    expect(await child.seen).toMatchObject({ code: null, signal: 9 });
    expect(() => child.kill()).not.toThrow();
  });

  it('gives the standard streams of this process, which Node closes on exec', async () => {
    const own = openOutputPipe();
    let text = '';
    own.stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const script = 'for fd in 0 1 2; do at="$(readlink /proc/$$/fd/$fd)"; echo "$at" >&3; done';
    const child = startProcess(['/bin/sh', '-c', script], { stdio: [0, 1, 2, own], newSession: true });
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(text.trim().split('\n')).toEqual([0, 1, 2].map((fd) => readlinkSync(`/proc/self/fd/${fd}`)));
  });

  it('starts the program itself where the executable for it cannot be', async () => {
    const pipe = openOutputPipe();
    const executable = Buffer.from('no executable');
    const child = startProcess(['/bin/sh', '-c', 'exit 5'], { stdio: ['nothing', pipe], newSession: true, executable });
    expect(await child.ended).toEqual({ code: 5, signal: null });
  });

  it('refuses a program that is not there', () => {
    const pipe = openOutputPipe();
    const start = (): unknown => startProcess(['/no/such/program'], { stdio: ['nothing', pipe], newSession: true });
    expect(start).toThrow('ENOENT');
  });

  it('refuses a NUL in an argument', () => {
    const pipe = openOutputPipe();
    const start = (): unknown => startProcess(['/bin/echo', 'a\0b'], { stdio: ['nothing', pipe], newSession: true });
    expect(start).toThrow('a path holds a NUL byte');
  });
});
