export { openPullThrough, type PullThrough } from './pull-through.ts';
export type { PullThroughOptions, UpstreamRepository } from './pull-through-storage.ts';
