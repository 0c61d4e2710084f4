import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { ownProgram, reachableProgram } from './reachable-program.ts';

export interface RunOptions {
  /** Added to a small environment; `undefined` removes. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Standard input; none (end of file at once) unless given. */
  readonly input?: string | Uint8Array;
  /** Milliseconds until SIGKILL; 120,000 unless given. */
  readonly timeout?: number;
  /** Run as this user and group, for the tests of rootless work. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Called when the process has started, for tests that signal it. */
  readonly onSpawn?: (child: { readonly pid: number; kill(signal: NodeJS.Signals): boolean }) => void;
}

export interface RunResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built CLI as a user does, with `SLIPWAY_ROOT` and `HOME` in a folder of this test file's own. */
export async function runCli(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const home = await testHome();
  const env: Record<string, string | undefined> = {
    PATH: process.env['PATH'],
    TMPDIR: process.env['TMPDIR'],
    HOME: home,
    SLIPWAY_ROOT: join(home, 'store'),
    ...options.env,
  };
  const { node, launcher } = options.user === undefined ? ownProgram : await reachableProgram(home);
  return run(node, [launcher, ...args], { ...options, env });
}

/** As `runCli`, and fails with all its output if the command fails. Resolves to standard output. */
export async function slipway(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await runCli(args, options);
  if (result.code !== 0) {
    const end = result.signal ?? result.code;
    throw new Error(`slipway ${args.join(' ')} ended with ${end}\n${result.stdout}\n${result.stderr}`);
  }
  return result.stdout;
}

/** Runs any program to its end and collects its output. The environment is `options.env` alone, or this process's. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    timeout: options.timeout ?? 120_000,
    killSignal: 'SIGKILL',
    ...options.user,
  });
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout?.on('data', (chunk: Buffer) => output.stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => output.stderr.push(chunk));
  // A program that ends without reading its input is no failure of the test.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input);
  child.on('error', reject);
  child.on('spawn', () => {
    if (child.pid !== undefined) options.onSpawn?.({ pid: child.pid, kill: (signal) => child.kill(signal) });
  });
  child.on('close', (code, signal) => {
    const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8');
    resolve({ code, signal, stdout: text(output.stdout), stderr: text(output.stderr) });
  });
  return promise;
}

let homePromise: Promise<string> | undefined;

/** A folder that lives as long as this test file. `SLIPWAY_TEST_DIR` chooses where: a file system that can hold overlays. */
export function testHome(): Promise<string> {
  homePromise ??= mkdtemp(join(process.env['SLIPWAY_TEST_DIR'] ?? tmpdir(), 'slipway-e2e-'));
  return homePromise;
}

// Here, because jest gives test files a process of their own, whose `exit` never comes.
afterAll(async () => {
  if (homePromise !== undefined) await rm(await homePromise, { recursive: true, force: true });
});
