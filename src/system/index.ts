export * from './error.ts';
export { loadSyscalls } from './load-syscalls.ts';
export { mountRoot, unmountRoot } from './mount-root.ts';
export { enterPrivateMounts } from './private-mounts.ts';
export * from './privileges.ts';
export { probeOverlay } from './probe-overlay.ts';
export * from './root-mount.ts';
export * from './syscalls.ts';
export { type WorkerName, workerEntry } from './worker-entry.ts';
