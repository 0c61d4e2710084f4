export * from './error.ts';
export * from './privileges.ts';
export * from './syscalls.ts';
