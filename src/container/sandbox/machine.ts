import type { Machine } from '../seccomp/filter.ts';

/** The processor this runs on, if the sandbox knows its machine code and system calls. */
export function sandboxMachine(): Machine | undefined {
  return process.arch === 'x64' || process.arch === 'arm64' ? process.arch : undefined;
}
