import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { minimalEnvironment, withParentDeath } from '../system/index.ts';
import type { ExitStatus, RunOptions } from './contract.ts';
import { ContainerError } from './error.ts';

/** A started runtime: its process, which ends when the step's process does. */
export interface Supervised {
  readonly child: ChildProcess;
  /** Fulfilled when the process has ended and all output was handed on. */
  readonly ended: Promise<ExitStatus>;
}

export interface SupervisionOptions {
  /** Gives this process descriptor 3, and calls with what it writes there. */
  readonly onReport?: (chunk: Buffer) => void;
  onOutput: RunOptions['onOutput'];
}

/**
 * Starts a runtime that dies with this thread. It has no terminal and a session of its own, so that Ctrl-C reaches us alone;
 * nothing of our environment but PATH.
 */
export function supervise(argv: readonly string[], options: SupervisionOptions): Supervised {
  const [file = '', ...args] = withParentDeath(argv);
  const child = spawn(file, args, {
    cwd: '/',
    detached: true,
    env: minimalEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe', ...(options.onReport === undefined ? [] : ['pipe' as const])],
  });
  child.stdout?.on('data', (chunk: Buffer) => options.onOutput('stdout', chunk));
  child.stderr?.on('data', (chunk: Buffer) => options.onOutput('stderr', chunk));
  const report = child.stdio[3] as Readable | null | undefined;
  if (options.onReport !== undefined) report?.on('data', options.onReport);
  const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>();
  child.once('error', (cause) => {
    reject(new ContainerError('RUNTIME_FAILED', `cannot start ${file}: ${cause.message}`, { cause }));
  });
  child.once('close', (code, signal) => resolve(exitStatus(code, signal)));
  return { child, ended: promise };
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
