import { closeSync, fchownSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { loadSyscalls } from './load-syscalls.ts';
import { minimalEnvironmentTexts } from './run.ts';
import { inDirectory } from './working-directory.ts';

/** A pipe that a program writes to: a true one. What child_process calls a pipe is a socket, which cannot be opened again (`echo >/dev/stderr`). */
export interface OutputPipe {
  /** For the program; closed here by `startProcess`. */
  readonly writeEnd: number;
  readonly stream: Readable;
}

/** @param owner who may open it again, as /dev/stderr for instance */
export function openOutputPipe(owner?: { readonly uid: number; readonly gid: number }): OutputPipe {
  const [readEnd, writeEnd] = loadSyscalls().pipe();
  try {
    if (owner !== undefined) fchownSync(writeEnd, owner.uid, owner.gid);
    return { writeEnd, stream: new Socket({ fd: readEnd, readable: true, writable: false }) };
  } catch (error) {
    loadSyscalls().close(writeEnd);
    loadSyscalls().close(readEnd);
    throw error;
  }
}

/** Of a pipe that no program was started with. */
export function closeOutputPipe({ writeEnd, stream }: OutputPipe): void {
  stream.destroy();
  loadSyscalls().close(writeEnd);
}

export interface StartOptions {
  /**
   * What the program has as descriptors 0, 1, 2…: nothing, one of this process's standard streams, or a pipe. At least one pipe
   * must be the program's alone until it ends: that it is closed tells the end.
   */
  readonly stdio: readonly ('nothing' | 0 | 1 | 2 | OutputPipe)[];
  /** No terminal then, and Ctrl-C does not reach it. */
  readonly newSession: boolean;
  /** A static executable to start in place of `argv`; where no file in memory may be executed, `argv` is. */
  readonly executable?: Buffer | undefined;
}

export interface ProcessEnd {
  readonly code: number | null;
  /** Its number, where a signal ended it. */
  readonly signal: number | null;
}

export interface StartedProcess {
  readonly pid: number;
  /** Fulfilled when it has ended and all its pipes are closed, also by others that it left them to. */
  readonly ended: Promise<ProcessEnd>;
  /** False: it has ended, or even been forgotten, and the pid may be another's. */
  readonly runs: boolean;
  kill(): void;
}

/**
 * Starts a program with nothing of our environment but PATH, in the root folder, with all signals at their defaults. Its cost does
 * not grow with this process: posix_spawn(3) shares our memory until the exec, where the fork of child_process copies the page
 * tables of all threads (2.5 to 5 ms in a build, 48 ms for a process of a gigabyte).
 *
 * Only for threads with a working directory of their own (`enterPrivateMounts`).
 * @throws SystemError SYSCALL_FAILED
 */
export function startProcess(argv: readonly string[], { stdio, newSession, executable }: StartOptions): StartedProcess {
  const pipes = stdio.filter((each) => typeof each === 'object');
  let nothing: number | undefined;
  let pid: number;
  try {
    const devNull = openSync('/dev/null', 'r+');
    nothing = devNull;
    const descriptors = stdio.map((each) =>
      each === 'nothing' ? devNull : typeof each === 'object' ? each.writeEnd : each,
    );
    const env = minimalEnvironmentTexts();
    pid = inDirectory('/', () => {
      const start = (command: readonly string[]) => loadSyscalls().spawn(command, env, { descriptors, newSession });
      return (executable && startFromMemory(executable, start)) ?? start(argv);
    });
  } catch (error) {
    for (const { stream } of pipes) stream.destroy();
    throw error;
  } finally {
    if (nothing !== undefined) closeSync(nothing);
    for (const { writeEnd } of pipes) loadSyscalls().close(writeEnd);
  }
  let runs = true;
  const end = async (): Promise<ProcessEnd> => {
    await Promise.all(pipes.map(({ stream }) => closed(stream)));
    const status = await reap(pid);
    runs = false;
    return status;
  };
  return {
    pid,
    ended: end(),
    get runs() {
      return runs;
    },
    kill: () => void (runs && process.kill(pid, 'SIGKILL')),
  };
}

/** undefined where that may not be: `vm.memfd_noexec`, a security module, a C library without memfd_create. */
function startFromMemory(executable: Buffer, start: (command: readonly string[]) => number): number | undefined {
  let file: number | undefined;
  try {
    file = loadSyscalls().memoryFile('slipway', executable);
    // By our own table of open files: in the child other descriptors may take its number.
    return start([`/proc/${process.pid}/fd/${file}`]);
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) loadSyscalls().close(file);
  }
}

/**
 * Starts a program that goes on when this process ends, with no environment but PATH and nothing to read or write; how it ends is not
 * told. As in {@link startProcess}, its start costs the same however large this process is.
 * @throws SystemError SYSCALL_FAILED, SYSCALLS_UNAVAILABLE
 */
export function startDetached(argv: readonly string[]): void {
  const nothing = openSync('/dev/null', 'r+');
  let pid: number;
  try {
    const descriptors = [nothing, nothing, nothing];
    pid = loadSyscalls().spawn(argv, ['PATH=/usr/bin:/bin'], { descriptors, newSession: true });
  } finally {
    closeSync(nothing);
  }
  // Of a process that lives on: otherwise init does it.
  const timer = setInterval(() => {
    if (hasBeenReaped(pid)) clearInterval(timer);
  }, 1000);
  timer.unref();
}

function hasBeenReaped(pid: number): boolean {
  try {
    return loadSyscalls().reap(pid) !== undefined;
  } catch {
    return true; // somebody else was told of its end
  }
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject);
    stream.once('close', resolve);
    stream.resume();
  });
}

/** Its files are closed, so it is about to end: that takes the kernel some microseconds, or as long as its memory is large. */
async function reap(pid: number): Promise<ProcessEnd> {
  for (let attempt = 0; ; attempt++) {
    const status = loadSyscalls().reap(pid);
    if (status !== undefined) {
      const signal = status & 0x7f;
      return signal === 0 ? { code: (status >> 8) & 0xff, signal: null } : { code: null, signal };
    }
    if (attempt < 10) await setImmediate();
    else await delay(1);
  }
}
