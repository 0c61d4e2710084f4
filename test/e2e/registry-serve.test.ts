import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from './run-cli.ts';

const launcher = join(dirname(dirname(import.meta.dirname)), 'bin', 'slipway');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'registry-serve-'));
  // Makes the launcher believe that an old Node runs it, so that it starts another one.
  const pretend =
    "Object.defineProperty(process.versions, 'node', { value: '20.20.2' });\ndelete process.env.NODE_OPTIONS;\n";
  writeFileSync(join(folder, 'pretend.cjs'), pretend);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('registry serve', () => {
  it.each([
    ['this Node', {}],
    ['an older Node, which starts this one', { NODE_OPTIONS: '--require FOLDER/pretend.cjs' }],
  ])('answers until it is told to stop, run by %s', async (_, env: Readonly<Record<string, string>>) => {
    const options = Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, value.replace('FOLDER', folder)]),
    );
    const child = spawn(
      process.execPath,
      [launcher, 'registry', 'serve', '--root', join(folder, 'data'), '--addr', '127.0.0.1:0'],
      {
        env: { PATH: process.env['PATH'], HOME: folder, ...options },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const url = /^Serving .*data at (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line.toString('utf8'))?.[1];
      expect((await fetch(`${url}/v2/`)).status).toBe(200);
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
      await expect(fetch(`${url}/v2/`)).rejects.toThrow();
    } finally {
      child.kill('SIGKILL');
    }
  });

  it.each(['5000', '127.0.0.1:70000', 'a:b:1', '::1:5000'])('refuses the address %s', async (address) => {
    const { code, stderr } = await runCli(['registry', 'serve', '--root', folder, '--addr', address]);
    expect(code).toBe(125);
    expect(stderr).toContain(`invalid address: '${address}'`);
  });

  it('wants a folder', async () => {
    const { code, stderr } = await runCli(['registry', 'serve']);
    expect(code).toBe(125);
    expect(stderr).toContain('nothing says where content is to be kept');
  });
});
