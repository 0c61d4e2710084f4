import { statfsSync } from 'node:fs';
import { messageOf } from '../../errors.ts';
import type { CallOptions } from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { readSize } from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import type { OnBuildEvent } from '../events.ts';

/** The most that a build cache takes unless it is said. */
const usualMost = 50e9;
const usualShare = 0.1;

/**
 * How many bytes the build cache may take: `setting` is a size as `prune --max-used-space` takes it (`20GB`), a share of the file system (`5%`) or `off`; a tenth of the file
 * system and at most 50 GB unless given.
 * @param folder on that file system
 * @throws BuildError CACHE_SIZE_INVALID
 */
export function cacheLimit(folder: string, setting: string | undefined): number {
  if (setting === 'off') return Number.POSITIVE_INFINITY;
  const share = (part: number): number => {
    const { blocks, bsize } = statfsSync(folder);
    return Math.floor(blocks * bsize * part);
  };
  if (setting === undefined || setting === '') return Math.min(usualMost, share(usualShare));
  const text = setting.trim();
  const [, percentage] = /^(\d+(?:\.\d+)?)\s*%$/.exec(text) ?? [];
  if (percentage !== undefined) return share(Number(percentage) / 100);
  const bytes = readSize(text);
  if (bytes === undefined) {
    throw new BuildError('CACHE_SIZE_INVALID', `SLIPWAY_CACHE_SIZE is no size: ${setting}`, {
      exitCode: 125,
      hint: 'sizes look like 20GB, 5% or off',
    });
  }
  return bytes;
}

export interface KeepOptions extends CallOptions {
  readonly store: Pick<Store, 'trimCache'>;
  readonly onEvent: OnBuildEvent;
}

/**
 * What is in the way of the limit goes, least valuable first; what this build used stays. That nothing can be cleared away now does
 * not make a build fail that is done: the next one tries again.
 */
export async function keepWithin(limit: number, { store, onEvent, signal }: KeepOptions): Promise<void> {
  try {
    const { deletedCacheRecords, spaceReclaimed } = await store.trimCache({ limit, signal });
    const count = deletedCacheRecords.length;
    if (count === 0) return;
    const megabytes = Math.round(spaceReclaimed / 1e6);
    const message = `the build cache had outgrown its size: ${count} results were given up, ${megabytes} MB freed`;
    onEvent({ type: 'note', level: 'info', message });
  } catch (error) {
    signal?.throwIfAborted();
    const message = `the build cache could not be kept within its size: ${messageOf(error)}`;
    onEvent({ type: 'note', level: 'warning', message });
  }
}
