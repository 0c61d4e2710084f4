import { constants } from 'node:os';
import { posix } from 'node:path';
import { variable } from '../environment.ts';
import type { PreparedContainer } from '../prepare.ts';
import type { Errno, Tape, TapeFailure } from './tape.ts';

const currentDirectory = -100; // AT_FDCWD

/** Not there, or not executable: the search through PATH goes on, as that of Go programs does. */
const notHere: readonly Errno[] = ['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG', 'EISDIR'];

/**
 * Makes the working directory where it is missing (as runc does), enters it and starts the program, looked for on the
 * container's PATH unless its name has a slash. Returns the index of the first call of that start.
 */
export function recordExecution(tape: Tape, { spec, env }: PreparedContainer): number {
  recordWorkingDirectory(tape, spec.cwd);
  const [name = ''] = spec.args;
  const argv = tape.texts(spec.args);
  const envp = tape.texts(env);
  const purpose = `start ${name}`;
  const first = tape.length;
  if (name.includes('/')) {
    tape.call('execve', [tape.text(name), argv, envp], { purpose });
    return first;
  }
  for (const folder of searchPath(env)) {
    tape.call('execve', [tape.text(posix.join(folder, name)), argv, envp], { purpose, tolerate: notHere });
  }
  tape.call('close', [-1], { purpose }); // fails: nothing was found
  return first;
}

function recordWorkingDirectory(tape: Tape, cwd: string): void {
  const purpose = `enter the working directory ${cwd}`;
  tape.call('umask', [0o022], { purpose });
  const parts = posix.normalize(cwd).split('/').filter(Boolean);
  for (let depth = 1; depth <= parts.length; depth++) {
    const path = tape.text(`/${parts.slice(0, depth).join('/')}`);
    tape.call('mkdirat', [currentDirectory, path, 0o755], { purpose, tolerate: 'all' });
  }
  tape.call('chdir', [tape.text(cwd)], { purpose });
}

/** Relative entries are passed over: they would find what lies in the working directory. */
function searchPath(env: readonly string[]): readonly string[] {
  const folders = (variable(env, 'PATH') ?? '').split(':');
  return [...new Set(folders.filter((folder) => folder.startsWith('/')))];
}

export interface StartFailure {
  /** As shells and docker have it: 127 not found, 126 found but not startable. */
  readonly code: 126 | 127;
  readonly message: string;
}

/** Why the program could not be started, in runc's words. */
export function describeStartFailure(failure: TapeFailure, name: string): StartFailure {
  const { ENOENT, ENOTDIR, EBADF, EACCES, ENOEXEC } = constants.errno;
  const say = (code: 126 | 127, reason: string): StartFailure => {
    return { code, message: `exec: ${JSON.stringify(name)}: ${reason}` };
  };
  switch (failure.errno) {
    case EBADF:
      return say(127, 'executable file not found in $PATH');
    case ENOENT:
    case ENOTDIR:
      return say(127, 'no such file or directory');
    case EACCES:
      return say(126, 'permission denied');
    case ENOEXEC:
      return say(126, 'exec format error');
    default:
      return say(126, errnoName(failure.errno));
  }
}

export function errnoName(errno: number): string {
  const found = Object.entries(constants.errno).find(([, number]) => number === errno);
  return found?.[0] ?? `errno ${errno}`;
}
