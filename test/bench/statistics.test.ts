import { describe, expect, it } from '@jest/globals';
import { ratio, spread, spreadOf } from '../../bench/measure/index.ts';
import { medianOf } from '../../bench/measure/statistics.ts';
import { measured } from './made-result.ts';

describe('the median', () => {
  it.each([
    { of: [3, 1, 2], is: 2 },
    { of: [10, 9, 100, 1], is: 9.5 },
    { of: [7], is: 7 },
    { of: [], is: Number.NaN },
  ])('of $of is $is', ({ of, is }) => expect(medianOf(of)).toBe(is));
});

describe('a spread', () => {
  it('leaves out what could not be measured', () => {
    expect(spreadOf([Number.NaN, 4, 2])).toEqual({ least: 2, median: 3, most: 4 });
    expect(spreadOf([Number.NaN])).toEqual({ least: Number.NaN, median: Number.NaN, most: Number.NaN });
  });

  it('is of one figure over all rounds', () => {
    expect(spread(measured('a', 'ours', [30, 10, 20]), 'cpu')).toEqual({ least: 1, median: 2, most: 3 });
  });
});

describe('a ratio', () => {
  it('is the median of those of single rounds', () => {
    // 1/2, 10/10, 100/400: of medians it would be 10/10.
    expect(ratio(measured('a', 'ours', [1, 10, 100]), measured('b', 'peer', [2, 10, 400]), 'wall')).toBe(0.5);
  });

  it('of memory is that of the largest rounds', () => {
    expect(ratio(measured('a', 'ours', [1, 10]), measured('b', 'peer', [5, 4]), 'memory')).toBe(2);
  });

  it('takes only rounds that both have', () => {
    expect(ratio(measured('a', 'ours', [1, 9]), measured('b', 'peer', [2]), 'wall')).toBe(0.5);
    expect(ratio(measured('a', 'ours', []), measured('b', 'peer', [2]), 'wall')).toBeNaN();
  });
});
