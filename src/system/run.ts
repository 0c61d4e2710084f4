import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import os from 'node:os';
import { messageOf } from '../errors.ts';
import { SystemError } from './error.ts';
import { requireExecutable } from './find-executable.ts';

export interface RunCommandOptions {
  readonly cwd?: string | undefined;
  /** The whole environment; `minimalEnvironment()` unless given. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Given to the command on its standard input, which is empty otherwise. */
  readonly input?: string | Buffer | undefined;
  /** Bytes allowed on each of stdout and stderr; 8 MiB unless given. */
  readonly maxOutput?: number | undefined;
  /** Exit codes that are no failure; only 0 unless given. */
  readonly expectedCodes?: readonly number[] | undefined;
  /** The command is killed with SIGKILL, and its reason thrown. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/**
 * Runs a tool of this machine to its end, without a shell.
 * @param command a name, looked up by `findExecutable`, or an absolute path.
 * @throws SystemError COMMAND_MISSING; COMMAND_FAILED with the end of its stderr as details.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunCommandOptions = {},
): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const file = requireExecutable(command);
  const child = spawn(file, args, { cwd: options.cwd, env: options.env ?? minimalEnvironment(), stdio: 'pipe' });
  child.stdin.on('error', () => {}); // EPIPE: it did not want all of its input, which is its affair
  child.stdin.end(options.input);
  const result = await finished(child, command, options);
  if ((options.expectedCodes ?? [0]).includes(result.code)) return result;
  throw new SystemError('COMMAND_FAILED', `${command} exited with status ${result.code}`, {
    details: lastLines(result.stderr),
  });
}

/** An environment that carries nothing from ours but PATH: no preloaded libraries, no credentials, no language. */
export function minimalEnvironment(more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const inherited = (process.env['PATH'] ?? '').split(':').filter((folder) => folder.startsWith('/'));
  const folders = new Set([
    ...inherited,
    '/usr/local/sbin',
    '/usr/local/bin',
    '/usr/sbin',
    '/usr/bin',
    '/sbin',
    '/bin',
  ]);
  return { PATH: [...folders].join(':'), LC_ALL: 'C', ...more };
}

/** The same as execve(2) takes it. */
export function minimalEnvironmentTexts(): string[] {
  return Object.entries(minimalEnvironment()).map(([name, value]) => `${name}=${value}`);
}

/** 128 + the number of a signal, as shells tell it. */
export function codeOfSignal(signal: NodeJS.Signals): number {
  return 128 + os.constants.signals[signal];
}

function finished(
  child: ChildProcessWithoutNullStreams,
  command: string,
  options: RunCommandOptions,
): Promise<RunResult> {
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
  // What it started may hold its pipes open, so they are closed from our side.
  const kill = (reason: unknown): void => {
    reject(reason);
    child.kill('SIGKILL');
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const limit = options.maxOutput ?? 8 * 1024 * 1024;
  const tooMuch = (): void => kill(new SystemError('COMMAND_FAILED', `${command} wrote more than ${limit} bytes`));
  const stdout = collect(child.stdout, limit, tooMuch);
  const stderr = collect(child.stderr, limit, tooMuch);
  const onAbort = (): void => kill(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  child.once('error', (cause) => {
    reject(new SystemError('COMMAND_FAILED', `cannot run ${command}: ${messageOf(cause)}`, { cause }));
  });
  child.once('close', (code, signal) => {
    const status = code ?? (signal === null ? 1 : codeOfSignal(signal));
    resolve({ code: status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) });
  });
  return promise.finally(() => options.signal?.removeEventListener('abort', onAbort));
}

function collect(stream: NodeJS.ReadableStream, limit: number, onTooMuch: () => void): readonly Buffer[] {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) onTooMuch();
    else chunks.push(chunk);
  });
  return chunks;
}

/** For people; without what a terminal would act on. */
function lastLines(output: Buffer): string[] {
  const text = output.subarray(-4096).toString().trimEnd();
  if (text === '') return [];
  const lines = text.split(/\r?\n/).slice(-10);
  return lines.map((line) => line.replace(/(?!\t)\p{Cc}/gu, '?'));
}
