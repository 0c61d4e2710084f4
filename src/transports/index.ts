export * from './error.ts';
export { type NamedManifest } from './layout-index.ts';
export * from './layout-target.ts';
export * from './memory-target.ts';
