export * from './contract.ts';
export * from './entry.ts';
