import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RunResult, run } from './run-cli.ts';

const root = dirname(dirname(import.meta.dirname));
const launcher = join(root, 'bin', 'slipway');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'launcher-'));
  // Makes a Node believe that it is another one, for itself only.
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' });
Object.defineProperty(process, 'version', { value: 'v20.20.2' });
delete process.env.NODE_OPTIONS;
`;
  writeFileSync(join(folder, 'pretend.cjs'), pretend);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the launcher by a Node that says it is version 20. */
function byOldNode(program: string, args: readonly string[]): Promise<RunResult> {
  const env = { PATH: process.env['PATH'], HOME: folder, NODE_OPTIONS: `--require ${join(folder, 'pretend.cjs')}` };
  return run(process.execPath, [program, ...args], { env });
}

describe('the launcher', () => {
  it("hands over to the checkout's own Node when an older one runs it", async () => {
    const { code, stdout } = await byOldNode(launcher, ['version', '--format', '{{.Client.NodeVersion}}']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${process.versions.node}\n` });
  });

  it('keeps arguments and the exit status then', async () => {
    const { code, stderr } = await byOldNode(launcher, ['version', 'a b', '']);
    expect(code).toBe(125);
    expect(stderr).toContain('accepts no arguments');
  });

  it('says what to do where there is no other Node', async () => {
    mkdirSync(join(folder, 'alone'));
    cpSync(join(root, 'bin'), join(folder, 'alone', 'bin'), { recursive: true });
    const { code, stdout, stderr } = await byOldNode(join(folder, 'alone', 'bin', 'slipway'), ['version']);
    expect({ code, stdout }).toEqual({ code: 125, stdout: '' });
    expect(stderr).toMatch(/^slipway needs Node\.js 24\.15 or newer .*this is v20\.20\.2\.\n.*`npm ci` in .*alone/);
  });

  it('finds its package through a symbolic link, as npm puts it into .bin', async () => {
    symlinkSync(launcher, join(folder, 'slipway'));
    const { code, stdout } = await run(process.execPath, [join(folder, 'slipway'), '--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Slipway version /);
  });

  it("is a program by itself, and then starts the checkout's Node without another one", async () => {
    const { code, stdout } = await run(join(folder, 'slipway'), ['version', '--format', '{{.Client.NodeVersion}}'], {
      env: { PATH: '/usr/bin:/bin' },
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${process.versions.node}\n` });
  });

  it('says so and fails when a command waits for what will never come', async () => {
    const stuck = join(folder, 'stuck');
    cpSync(join(root, 'bin'), join(stuck, 'bin'), { recursive: true });
    mkdirSync(join(stuck, 'dist'));
    writeFileSync(join(stuck, 'package.json'), '{"type":"module"}');
    writeFileSync(join(stuck, 'dist', 'cli.js'), 'export const main = () => new Promise(() => {});\n');
    const { code, stderr } = await run(process.execPath, [join(stuck, 'bin', 'slipway'), 'images']);
    expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringMatching(/^ERROR: slipway ended before/) });
  });

  it('goes quietly when its reader has gone', async () => {
    const { code, stdout, stderr } = await run('/bin/sh', [
      '-c',
      '"$0" "$1" --help | true; echo end',
      process.execPath,
      launcher,
    ]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'end\n', stderr: '' });
  });
});
