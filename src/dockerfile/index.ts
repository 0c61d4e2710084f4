export * from './contract.ts';
export * from './graph.ts';
