export type * from './job.ts';
export { compare, perOne, type Run, type RunOptions } from './run.ts';
export { difference, ratio, spread, spreadOf, type Spread } from './statistics.ts';
