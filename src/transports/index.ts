export type { ArchiveOptions } from './archive-files.ts';
export * from './archive-sink.ts';
export * from './archive-source.ts';
export * from './error.ts';
export type { NamedManifest } from './layout-index.ts';
export * from './layout-target.ts';
export * from './location.ts';
export * from './memory-target.ts';
export * from './transport.ts';
