import { describe, expect, it } from '@jest/globals';
import { statfsSync } from 'node:fs';
import { cacheLimit } from '../../../src/build/cache/limit.ts';

const { blocks, bsize } = statfsSync('/');
const disk = blocks * bsize;

describe('the size of the build cache', () => {
  it.each<readonly [setting: string | undefined, bytes: number]>([
    [undefined, Math.min(50e9, Math.floor(disk * 0.1))],
    ['', Math.min(50e9, Math.floor(disk * 0.1))],
    ['20GB', 20e9],
    ['1.5g', 1.5e9],
    ['100 MB', 100e6],
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
});
