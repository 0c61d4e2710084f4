export type { SyncedTag, SyncMemory, SyncOptions, SyncTask, TagFilter } from './contract.ts';
export { readSyncFile, type SyncFile } from './read-sync-file.ts';
export { SyncMemoryFile } from './sync-memory.ts';
export { syncImages } from './sync.ts';
