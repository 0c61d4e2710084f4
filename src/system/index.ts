export * from './error.ts';
export * from './privileges.ts';
export * from './root-mount.ts';
export * from './syscalls.ts';
