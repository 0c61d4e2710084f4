import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { minimalEnvironment, withParentDeath } from '../system/index.ts';
import type { ExitStatus } from './contract.ts';
import { ContainerError } from './error.ts';
import type { OutputPipe } from './output-pipe.ts';

/** A started runtime: its process, which ends when the step's process does. */
export interface Supervised {
  readonly child: ChildProcess;
  /** Fulfilled when the process has ended and all output was handed on. */
  readonly ended: Promise<ExitStatus>;
}

/**
 * For a program that becomes the step's: descriptor 2 is its own, the step's stderr comes as descriptor 4 and is moved to 2 in
 * time. So a step cannot forge what the launcher says.
 */
export interface LauncherChannels {
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
  /** What is written on descriptor 3. */
  onReport(chunk: Buffer): void;
  onLauncherError(chunk: Buffer): void;
}

export interface SupervisionOptions {
  onOutput(stream: 'stdout' | 'stderr', chunk: Buffer): void;
  readonly channels?: LauncherChannels;
}

/**
 * Starts a runtime that dies with this thread. It has no terminal and a session of its own, so that Ctrl-C reaches us alone;
 * nothing of our environment but PATH.
 */
export function supervise(argv: readonly string[], options: SupervisionOptions): Supervised {
  const { channels } = options;
  const [file = '', ...args] = withParentDeath(argv);
  const own: StdioOptions = ['ignore', 'pipe', 'pipe'];
  const stdio: StdioOptions =
    channels === undefined ? own : ['ignore', channels.stdout.writeEnd, 'pipe', 'pipe', channels.stderr.writeEnd];
  const child = spawn(file, args, { cwd: '/', detached: true, env: minimalEnvironment(), stdio });
  const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>();
  child.once('error', (cause) => {
    reject(new ContainerError('RUNTIME_FAILED', `cannot start ${file}: ${cause.message}`, { cause }));
  });
  child.once('close', (code, signal) => resolve(exitStatus(code, signal)));
  const outputs = listen(child, options);
  return { child, ended: Promise.all([promise, ...outputs]).then(([status]) => status) };
}

/** What is to be waited for beside the child's end. */
function listen(child: ChildProcess, options: SupervisionOptions): readonly Promise<void>[] {
  const { channels } = options;
  const onStdout = (chunk: Buffer): void => options.onOutput('stdout', chunk);
  const onStderr = (chunk: Buffer): void => options.onOutput('stderr', chunk);
  if (channels === undefined) {
    child.stdout?.on('data', onStdout);
    child.stderr?.on('data', onStderr);
    return [];
  }
  child.stderr?.on('data', (chunk: Buffer) => channels.onLauncherError(chunk));
  (child.stdio[3] as Readable | null | undefined)?.on('data', (chunk: Buffer) => channels.onReport(chunk));
  child.once('exit', () => {
    channels.stdout.hurry();
    channels.stderr.hurry();
  });
  return [channels.stdout.read(onStdout), channels.stderr.read(onStderr)];
}

/** 128 + the number for a signal, as shells tell it. */
function exitStatus(code: number | null, signal: NodeJS.Signals | null): ExitStatus {
  if (signal === null) return { code: code ?? 1 };
  return { code: 128 + constants.signals[signal], signal };
}

/** Calls `onAbort` once if the signal is or becomes aborted, until disposed. */
export function whenAborted(signal: AbortSignal | undefined, onAbort: () => void): Disposable {
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', onAbort) };
}

export function abortedError(signal: AbortSignal): ContainerError {
  return new ContainerError('ABORTED', 'the container was stopped', { exitCode: 130, cause: signal.reason });
}
