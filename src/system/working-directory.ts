import fs from 'node:fs';
import { loadSyscalls } from './load-syscalls.ts';

/**
 * Does something in a folder, in a thread with a working directory of its own (`enterPrivateMounts`). `process.chdir` is not for
 * workers, and `process.cwd()` there tells the main thread's.
 */
export function inDirectory<Result>(folder: string, action: () => Result): Result {
  const syscalls = loadSyscalls();
  const before = fs.openSync('.', fs.constants.O_DIRECTORY);
  try {
    syscalls.chdir(folder);
    return action();
  } finally {
    syscalls.chdir(`/proc/self/fd/${before}`);
    fs.closeSync(before);
  }
}
