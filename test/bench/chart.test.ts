import { describe, expect, it } from '@jest/globals';
import { chart } from '../../bench/report/index.ts';
import { madeResult, measured } from './made-result.ts';
import { strayTags } from './well-formed.ts';

describe('a chart', () => {
  it('is well formed, whatever contenders are called', () => {
    const measurements = [measured('a < b & "c"', 'ours', [1]), measured('x'.repeat(90), 'peer', [2])];
    const svg = chart([madeResult({ title: 'this & that', measurements }), madeResult({ place: 'ext4' })]);
    expect(strayTags(svg)).toEqual([]);
    expect(svg).toContain('a &lt; b &amp; "c"');
    expect(svg).not.toContain('x'.repeat(60));
  });

  it('has one panel for each result and one bar for each contender', () => {
    const svg = chart([madeResult(), madeResult({ place: 'ext4' })]);
    expect(svg.match(/class="title"/g)).toHaveLength(2);
    expect(svg.match(/<rect class="ours"/g)).toHaveLength(2);
    expect(svg.match(/<rect class="peer"/g)).toHaveLength(2);
    expect(svg.match(/<rect class="limit"/g)).toHaveLength(2);
  });

  it('draws medians in proportion, and a line from the least to the most', () => {
    const svg = chart([madeResult({ measurements: [measured('one', 'ours', [100, 200, 400])] })]);
    // 360 wide for the longest, which is 400: the median reaches half of it, the line goes from a quarter to the end.
    expect(svg).toContain('width="180.0"');
    expect(svg).toContain('M380.0 45H650.0');
  });

  it('shows what was not measured as that', () => {
    const svg = chart([madeResult({ measurements: [measured('one', 'ours', [])] })]);
    expect(svg).toContain('not measured');
    expect(svg).not.toContain('NaN');
  });
});
