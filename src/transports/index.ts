export * from './error.ts';
export * from './memory-target.ts';
