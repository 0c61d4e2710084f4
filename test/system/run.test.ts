import { afterAll, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { findExecutable, minimalEnvironment, run, withParentDeath } from '../../src/system/index.ts';
import { scratchFolder } from './scratch.ts';

const scratch = scratchFolder();
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

describe('run', () => {
  it('gives output, both streams apart', async () => {
    const result = await run('sh', ['-c', 'echo out; echo err >&2']);
    expect([result.code, String(result.stdout), String(result.stderr)]).toEqual([0, 'out\n', 'err\n']);
  });

  it('uses no shell: arguments come as they are', async () => {
    const { stdout } = await run('printf', ['%s', '$HOME; `id` "']);
    expect(String(stdout)).toBe('$HOME; `id` "');
  });

  it('passes on input', async () => {
    expect(String((await run('cat', [], { input: 'hello' })).stdout)).toBe('hello');
  });

  it('takes no harm from a command that does not read its input', async () => {
    expect((await run('true', [], { input: Buffer.alloc(1_000_000) })).code).toBe(0);
  });

  it('gives nothing of our environment but PATH', async () => {
    process.env['SLIPWAY_TEST_SECRET'] = 'x';
    const { stdout } = await run('env', []);
    delete process.env['SLIPWAY_TEST_SECRET'];
    const names = String(stdout)
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(new Set(names)).toEqual(new Set(['LC_ALL', 'PATH']));
  });

  it('tells a failure with the end of stderr, control characters replaced', async () => {
    await expect(run('sh', ['-c', 'printf "bad\\033[31m thing\\n" >&2; exit 3'])).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: 'sh exited with status 3',
      details: ['bad?[31m thing'],
    });
  });

  it('accepts exit codes that are expected', async () => {
    expect((await run('sh', ['-c', 'exit 3'], { expectedCodes: [0, 3] })).code).toBe(3);
  });

  it('tells a command that ended by a signal as shells do', async () => {
    await expect(run('sh', ['-c', 'kill -KILL $$'])).rejects.toMatchObject({ message: 'sh exited with status 137' });
  });

  it('tells a command that is not there', async () => {
    await expect(run('slipway-none', [])).rejects.toMatchObject({ code: 'COMMAND_MISSING' });
  });

  it('ends a command that writes too much', async () => {
    await expect(run('yes', [], { maxOutput: 1000 })).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
  });

  it('ends at an abort, even when a grandchild keeps the pipes open', async () => {
    const stop = new AbortController();
    const running = run('sh', ['-c', 'sleep 5 & sleep 5'], { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 20);
    await expect(running).rejects.toThrow('enough');
  });

  it('does not begin when aborted before', async () => {
    await expect(run('true', [], { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
  });
});

describe('findExecutable', () => {
  const file = (name: string, mode: number): string => {
    fs.writeFileSync(path.join(scratch, name), '');
    fs.chmodSync(path.join(scratch, name), mode);
    return path.join(scratch, name);
  };
  const tool = file('slipway-tool', 0o755);
  const plain = file('slipway-plain', 0o644);
  fs.mkdirSync(path.join(scratch, 'slipway-folder'));

  const relative = path.relative(process.cwd(), scratch);
  const cases: readonly (readonly [string, string, string, string | undefined])[] = [
    ['finds by PATH', 'slipway-tool', `/none:${scratch}`, tool],
    ['takes an absolute path', tool, '', tool],
    ['refuses a relative path', `${relative}/slipway-tool`, scratch, undefined],
    ['passes over relative entries of PATH', 'slipway-tool', relative, undefined],
    ['passes over empty entries of PATH', 'slipway-tool', '::', undefined],
    ['passes over files that cannot be run', 'slipway-plain', scratch, undefined],
    ['refuses an absolute path that cannot be run', plain, '', undefined],
    ['passes over folders', 'slipway-folder', scratch, undefined],
    ['finds nothing by an empty name', '', scratch, undefined],
  ];
  it.each(cases)('%s', (_name, name, searchPath, expected) => {
    expect(findExecutable(name, searchPath)).toBe(expected);
  });

  it('looks into system folders, too', () => expect(findExecutable('sh', '')).toMatch(/\/bin\/sh$/));
});

describe('withParentDeath', () => {
  it('puts setpriv before the command, by its absolute path', () => {
    const [first, ...rest] = withParentDeath(['/bin/true', 'x']);
    expect(first?.startsWith('/')).toBe(true);
    expect(rest.slice(-2).includes('x')).toBe(true);
  });

  it('makes the kernel end the child with its parent', async () => {
    const child = withParentDeath(['/bin/sleep', '60']);
    if (child[0] === '/bin/sleep') return; // no setpriv of util-linux here
    const script = `const c = require('node:child_process').spawn(${JSON.stringify(child[0])}, ${JSON.stringify(child.slice(1))});
      const { readFileSync } = require('node:fs');
      const ready = () => readFileSync('/proc/' + c.pid + '/comm', 'utf8') === 'sleep\\n';
      const timer = setInterval(() => { if (ready()) { console.log(c.pid); process.kill(process.pid, 'SIGKILL'); } }, 5);`;
    const { stdout } = await run(process.execPath, ['-e', script], { expectedCodes: [137] });
    const pid = Number(String(stdout));
    const state = (): string =>
      fs.existsSync(`/proc/${pid}/stat`) ? fs.readFileSync(`/proc/${pid}/stat`, 'utf8') : 'gone';
    while (!/gone|\) Z /.test(state())) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

describe('minimalEnvironment', () => {
  it('has absolute folders only in PATH, and what is added', () => {
    const env = minimalEnvironment({ HOME: '/x' });
    expect(env['HOME']).toBe('/x');
    expect(env['PATH']?.split(':').every((folder) => folder.startsWith('/'))).toBe(true);
  });
});
