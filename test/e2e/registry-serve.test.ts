import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

  it('keeps content in memory, tells programs where it is, and logs what was asked', async () => {
    const args = ['registry', 'serve', '--memory', '--port', '0', '--json', '--access-log', 'json', '--read-only'];
    const child = spawn(process.execPath, [launcher, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const { url, storage } = JSON.parse(line.toString('utf8')) as { url: string; storage: string };
      expect(storage).toBe('memory');
      const posted = fetch(`${url}/v2/a/blobs/uploads/`, { method: 'POST' });
      const [log] = (await once(child.stderr, 'data')) as [Buffer];
      expect((await posted).status).toBe(405);
      expect(JSON.parse(log.toString('utf8'))).toMatchObject({ method: 'POST', route: 'uploads', status: 405 });
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('fails as a script tells it, and a command that hangs on it ends with its time', async () => {
    const script = join(folder, 'faults.json');
    writeFileSync(script, '{"faults":[{"path":"/v2/a/*","times":"forever","fault":"stall"}]}');
    const args = ['registry', 'serve', '--memory', '--port', '0', '--json', '--faults', script];
    const child = spawn(process.execPath, [launcher, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const { host } = new URL((JSON.parse(line.toString('utf8')) as { url: string }).url);
      const noted = once(child.stderr, 'data') as Promise<[Buffer]>;
      const { code, stderr } = await runCli(['tags', 'ls', '--timeout', '500ms', `${host}/a`]);
      expect(code).not.toBe(0);
      expect(stderr).toContain('not done within 500ms');
      expect((await noted).toString()).toContain('FAULT stall: GET /v2/a/tags/list (tags)');
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('refuses a fault script that it does not understand', async () => {
    const script = join(folder, 'no-faults.json');
    writeFileSync(script, '{"faults":[{"fault":"explode"}]}');
    const { code, stderr } = await runCli(['registry', 'serve', '--memory', '--port', '0', '--faults', script]);
    expect(code).toBe(1);
    expect(stderr).toContain('rule 1: "fault" must be one of drop, stall');
  });

  it('leaves a folder of which gc takes what no manifest names', async () => {
    const root = join(folder, 'garbage');
    const blob = join(root, 'a/blobs/sha256', 'a'.repeat(64));
    mkdirSync(dirname(blob), { recursive: true });
    writeFileSync(blob, 'x'.repeat(5000));
    const listed = `blob a@sha256:${'a'.repeat(64)}\n`;
    const young = await runCli(['registry', 'gc', root]);
    expect(young).toMatchObject({ code: 0, stdout: 'Freed 0B\n' });
    const dry = await runCli(['registry', 'gc', root, '--grace', '0s', '--dry-run']);
    expect(dry).toMatchObject({ code: 0, stdout: `${listed}Would free 5kB\n` });
    expect(existsSync(blob)).toBe(true);
    const real = await runCli(['registry', 'gc', root, '--grace', '0s']);
    expect(real).toMatchObject({ code: 0, stdout: `${listed}Freed 5kB\n` });
    expect(existsSync(blob)).toBe(false);
    expect(await runCli(['registry', 'gc', join(folder, 'nowhere')])).toMatchObject({ code: 125 });
  });

  it('wants a folder', async () => {
    const { code, stderr } = await runCli(['registry', 'serve']);
    expect(code).toBe(125);
    expect(stderr).toContain('nothing says where content is to be kept');
  });
});
