import { boolean, integer } from '@oclif/core/flags';
import type { BuildRequest } from '../../build/index.ts';
import { listFlag } from '../flags.ts';

/** What is done again, and how much at once. */
export const solvingFlags = {
  'no-cache': boolean({ description: 'Do every step again', default: false }),
  'no-cache-filter': listFlag({ description: 'Do the steps of these stages again', helpValue: 'STAGE[,STAGE]' }),
  'max-parallelism': integer({
    description: 'At most so many steps at once; by default as many as there are cores, and four RUN steps at least',
    min: 1,
    helpValue: 'N',
  }),
} as const;

export interface SolvingFlags {
  readonly 'no-cache': boolean;
  readonly 'no-cache-filter'?: readonly string[] | undefined;
  readonly 'max-parallelism'?: number | undefined;
}

export function solvingOf(flags: SolvingFlags): Pick<BuildRequest, 'noCache' | 'noCacheFilter' | 'maxParallelism'> {
  return {
    noCache: flags['no-cache'],
    noCacheFilter: (flags['no-cache-filter'] ?? []).flatMap((list) => list.split(',')),
    maxParallelism: flags['max-parallelism'],
  };
}
