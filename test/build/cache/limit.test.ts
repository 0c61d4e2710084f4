import { describe, expect, it } from '@jest/globals';
import { statfsSync } from 'node:fs';
import { cacheLimit, keepWithin } from '../../../src/build/cache/limit.ts';
import type { BuildEvent } from '../../../src/build/events.ts';
import { StoreError } from '../../../src/store/index.ts';

const { blocks, bsize } = statfsSync('/');
const disk = blocks * bsize;

describe('the size of the build cache', () => {
  it.each<readonly [setting: string | undefined, bytes: number]>([
    [undefined, Math.min(50e9, Math.floor(disk * 0.1))],
    ['', Math.min(50e9, Math.floor(disk * 0.1))],
    ['20GB', 20 * 2 ** 30],
    ['1.5g', 1.5 * 2 ** 30],
    ['100 MB', 100 * 2 ** 20],
    ['0', 0],
    ['5%', Math.floor(disk * 0.05)],
    ['off', Number.POSITIVE_INFINITY],
  ])('%s', (setting, bytes) => {
    expect(cacheLimit('/', setting)).toBe(bytes);
  });

  it.each(['much', '-1', '10 %%', '1e9', '5GBB'])('is not %s', (setting) => {
    expect(() => cacheLimit('/', setting)).toThrow(
      expect.objectContaining({ code: 'CACHE_SIZE_INVALID', exitCode: 125 }),
    );
  });

  it('is no reason for a finished build to fail, where nothing can be cleared away', async () => {
    const events: BuildEvent[] = [];
    const store = { trimCache: () => Promise.reject(new StoreError('BUSY', 'others are at it')) };
    await keepWithin(0, { store, onEvent: (event) => events.push(event) });
    const message = 'the build cache could not be kept within its size: others are at it';
    expect(events).toEqual([{ type: 'note', level: 'warning', message }]);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(keepWithin(0, { store, signal, onEvent: (event) => events.push(event) })).rejects.toThrow('enough');
  });
});
