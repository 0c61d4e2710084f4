export * from './ast.ts';
export * from './contract.ts';
export * from './dump.ts';
export * from './error.ts';
export * from './excerpt.ts';
export * from './graph.ts';
export * from './parse.ts';
export * from './text.ts';
