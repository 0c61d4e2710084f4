import { describe, expect, it } from '@jest/globals';
import type { CacheMountRecord } from '../../src/store/index.ts';
import { cacheMountFilter } from '../../src/ui/cache-mount-filter.ts';

const hour = 3_600_000;
const now = 100 * hour;
const record = (id: string, lastUsed: number): CacheMountRecord => ({
  name: id,
  id,
  origin: '',
  created: 0,
  lastUsed,
  inUse: false,
  archive: undefined,
});
const all = [record('a', now), record('b', now - 2 * hour), record('c', now - 50 * hour)];

describe('the filter of cache mounts', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[], string])[] = [
    ['nothing', [], [], 'abc'],
    ['an id', [], ['b'], 'b'],
    ['ids', ['id=a'], ['b'], 'ab'],
    ['until', ['until=1h'], [], 'bc'],
    ['unused-for', ['unused-for=24h'], [], 'c'],
    ['the longer of two times', ['until=1h', 'until=24h'], [], 'c'],
    ['an id and a time', ['until=24h', 'id=b'], [], ''],
  ];
  it.each(cases)('takes %s', (_, filters, ids, expected) => {
    expect(
      all
        .filter(cacheMountFilter(filters, { ids, now }))
        .map(({ id }) => id)
        .join(''),
    ).toBe(expected);
  });

  it.each([['x=1'], ['until'], ['until=soon']])('refuses %s', (filter) => {
    expect(() => cacheMountFilter([filter], { ids: [], now })).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
