export * from './contract.ts';
export * from './error.ts';
export { findRunnable, type Runnable } from './emulation.ts';
export { chooseIsolation } from './isolation.ts';
export { resolveOwner, resolveUser } from './read-account-file.ts';
export { reapContainer } from './reap.ts';
export { runContainer } from './run.ts';
export type { ContainerUser, Owner } from './users.ts';
