import { describe, expect, it } from '@jest/globals';
import { type CacheCandidate, cacheOrder } from '../../src/store/cache-order.ts';
import { chainIdOf, digestOf } from '../../src/oci/index.ts';

const now = Date.parse('2026-01-15T00:00:00Z');
const day = 86_400;

function step(name: string, rest: Partial<CacheCandidate> = {}): CacheCandidate {
  const usual = { duration: 1000, used: now / 1000, size: 1e6, parent: undefined };
  return { key: digestOf(`key ${name}`), diffId: digestOf(`layer ${name}`), ...usual, ...rest };
}

const over = (lower: CacheCandidate) => chainIdOf(lower.parent, lower.diffId);

describe('the order in which build results are given up', () => {
  it.each<readonly [rule: string, first: CacheCandidate, last: CacheCandidate]>([
    ['the quick before the slow', step('quick', { duration: 10 }), step('slow', { duration: 60_000 })],
    ['the large before the small', step('large', { size: 1e9 }), step('small', { size: 1e3 })],
    ['the old before the new', step('old', { used: now / 1000 - 30 * day }), step('new')],
    [
      'an hour of work before a second of it, once it was not asked for in long',
      step('work', { duration: 3_600_000, used: now / 1000 - 200 * day }),
      step('second'),
    ],
    [
      'one of unknown cost as if it took a second',
      step('unknown', { duration: undefined }),
      step('known', { duration: 1500 }),
    ],
  ])('%s', (_, first, last) => {
    expect(cacheOrder([last, first], now)).toEqual([first, last]);
    expect(cacheOrder([first, last], now)).toEqual([first, last]);
  });

  it('a step goes after all that stand on it, whatever it is worth itself', () => {
    const base = step('base', { duration: 1, size: 1e9, used: 0 });
    const middle = step('middle', { parent: over(base), duration: 1, used: 0 });
    const top = step('top', { parent: over(middle), duration: 1e6 });
    const other = step('other', { duration: 10 });
    const order = cacheOrder([base, other, top, middle], now).map(({ key }) => key);
    expect(order).toEqual([other.key, top.key, middle.key, base.key]);
  });
});
