export * from './cache-mounts/contract.ts';
export * from './contract.ts';
export { StoreError, type StoreErrorCode } from './error.ts';
export { openStore } from './open-store.ts';
