export * from './error.ts';
export { loadSyscalls } from './load-syscalls.ts';
export * from './privileges.ts';
export * from './root-mount.ts';
export * from './syscalls.ts';
export { type WorkerName, workerEntry } from './worker-entry.ts';
