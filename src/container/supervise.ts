import { constants } from 'node:os';
import {
  closeOutputPipe,
  openOutputPipe,
  type OutputPipe,
  type Privileges,
  type ProcessEnd,
  type StartedProcess,
  type StartOptions,
  startProcess,
  withParentDeath,
} from '../system/index.ts';
import { messageOf } from '../errors.ts';
import type { ExitStatus } from './contract.ts';
import { ContainerError } from './error.ts';
import { deathBound } from './launcher.ts';
import type { PreparedContainer } from './prepare.ts';

/** A started runtime: its process, which ends when the step's process does. */
export interface Supervised {
  readonly process: StartedProcess;
  /** Fulfilled when the process has ended and all output was handed on. */
  readonly ended: Promise<ExitStatus>;
}

/**
 * For a program that becomes the step's: descriptor 2 is its own, the step's stderr comes as descriptor 4 and is moved to 2 in
 * time. So a step cannot forge what the launcher says.
 */
export interface LauncherChannels {
  /** What is written on descriptor 3. */
  onReport(chunk: Buffer): void;
  onLauncherError(chunk: Buffer): void;
}

export interface SupervisionOptions {
  onOutput(stream: 'stdout' | 'stderr', chunk: Buffer): void;
  /** Who is to be able to open the step's output again. */
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly channels?: LauncherChannels;
  /** Its standard streams are this process's own: see `ContainerSpec`. */
  readonly interaction?: 'terminal' | 'plain' | undefined;
}

/**
 * Starts a runtime that dies with this thread. It has no terminal and a session of its own, so that Ctrl-C reaches us alone;
 * nothing of our environment but PATH. With a terminal it stays in our session, whose terminal that then is.
 * @throws ContainerError RUNTIME_FAILED
 */
export function supervise(argv: readonly [file: string, ...args: string[]], options: SupervisionOptions): Supervised {
  const child = start(argv, options);
  return { process: child, ended: child.ended.then(exitStatus) };
}

function start(argv: readonly [file: string, ...args: string[]], options: SupervisionOptions): StartedProcess {
  try {
    using pipes = new DisposableStack();
    const command = withParentDeath(argv);
    const stdio = stdioOf(options, (...how) => pipes.adopt(openPipe(...how), closeOutputPipe));
    pipes.move(); // from here on they are the process's
    return startProcess(command, {
      stdio,
      newSession: options.interaction !== 'terminal',
      executable: deathBound(argv),
    });
  } catch (cause) {
    throw new ContainerError('RUNTIME_FAILED', `cannot start a container: ${messageOf(cause)}`, { cause });
  }
}

function stdioOf(options: SupervisionOptions, open: typeof openPipe): StartOptions['stdio'] {
  const { channels, interaction, owner } = options;
  const [stdin, stdout, stderr] =
    interaction === undefined
      ? ([
          'nothing',
          open((chunk) => options.onOutput('stdout', chunk), owner),
          open((chunk) => options.onOutput('stderr', chunk), owner),
        ] as const)
      : ([0, 1, 2] as const);
  const own =
    channels === undefined
      ? [stderr, ...(interaction === undefined ? [] : [open(() => {})])] // closed when the runtime ends
      : [open((chunk) => channels.onLauncherError(chunk)), open((chunk) => channels.onReport(chunk)), stderr];
  return [stdin, stdout, ...own];
}

function openPipe(onData: (chunk: Buffer) => void, owner?: SupervisionOptions['owner']): OutputPipe {
  const pipe = openOutputPipe(owner);
  pipe.stream.on('data', onData);
  return pipe;
}

/** Who can open the output again inside: the user of the step, as the machine sees him. */
export function ownerOfOutput({ user }: PreparedContainer, { kind }: Privileges): SupervisionOptions['owner'] {
  return kind === 'single' ? { uid: 0, gid: 0 } : user;
}

/** 128 + the number for a signal, as shells tell it. */
function exitStatus({ code, signal }: ProcessEnd): ExitStatus {
  if (signal === null) return { code: code ?? 1 };
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return { code: 128 + signal, signal: name ?? `SIG${signal}` };
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
