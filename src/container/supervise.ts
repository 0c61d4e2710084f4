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
  /** Absent where the step writes to what is ours. */
  readonly stdout?: OutputPipe | undefined;
  readonly stderr?: OutputPipe | undefined;
  /** What is written on descriptor 3. */
  onReport(chunk: Buffer): void;
  onLauncherError(chunk: Buffer): void;
}

export interface SupervisionOptions {
  onOutput(stream: 'stdout' | 'stderr', chunk: Buffer): void;
  readonly channels?: LauncherChannels;
  /** Its standard streams are this process's own: see `ContainerSpec`. */
  readonly interaction?: 'terminal' | 'plain' | undefined;
}

/**
 * Starts a runtime that dies with this thread. It has no terminal and a session of its own, so that Ctrl-C reaches us alone;
 * nothing of our environment but PATH.
 */
export function supervise(argv: readonly string[], options: SupervisionOptions): Supervised {
  const [file = '', ...args] = withParentDeath(argv);
  // With a terminal it stays in our session, whose terminal it then is.
  const detached = options.interaction !== 'terminal';
  const child = spawn(file, args, { cwd: '/', detached, env: minimalEnvironment(), stdio: stdioOf(options) });
  const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>();
  child.once('error', (cause) => {
    reject(new ContainerError('RUNTIME_FAILED', `cannot start ${file}: ${cause.message}`, { cause }));
  });
  child.once('close', (code, signal) => resolve(exitStatus(code, signal)));
  const outputs = listen(child, options);
  return { child, ended: Promise.all([promise, ...outputs]).then(([status]) => status) };
}

function stdioOf({ channels, interaction }: SupervisionOptions): StdioOptions {
  if (interaction !== undefined) return channels === undefined ? [0, 1, 2] : [0, 1, 'pipe', 'pipe', 2];
  if (channels === undefined) return ['ignore', 'pipe', 'pipe'];
  return ['ignore', channels.stdout?.writeEnd ?? 'ignore', 'pipe', 'pipe', channels.stderr?.writeEnd ?? 'ignore'];
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
  const { stdout, stderr } = channels;
  if (stdout === undefined || stderr === undefined) return [];
  child.once('exit', () => {
    stdout.hurry();
    stderr.hurry();
  });
  return [stdout.read(onStdout), stderr.read(onStderr)];
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
