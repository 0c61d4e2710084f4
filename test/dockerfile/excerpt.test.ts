import { describe, expect, it } from '@jest/globals';
import { excerpt } from '../../src/dockerfile/index.ts';
import { didYouMean } from '../../src/dockerfile/suggest.ts';

const text = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`).join('\n');
const numbers = (range: { start: number; end: number }, context?: number) =>
  excerpt(text, range, context === undefined ? {} : { context })
    .slice(2, -1)
    .map((line) => `${line.includes('>>>') ? '*' : ''}${line.trim().split(' ')[0]}`)
    .join(' ');

describe('excerpt', () => {
  it.each([
    [{ start: 5, end: 5 }, '3 4 *5 6 7'],
    [{ start: 5, end: 6 }, '4 *5 *6 7'],
    [{ start: 1, end: 1 }, '*1 2 3 4 5'],
    [{ start: 12, end: 12 }, '8 9 10 11 *12'],
    [{ start: 11, end: 40 }, '9 10 *11 *12'],
    [{ start: 5, end: 2 }, '3 4 *5 6 7'],
  ])('%j shows %s', (range, shown) => {
    expect(numbers(range)).toBe(shown);
  });

  it('as much as is asked for', () => {
    expect(numbers({ start: 5, end: 5 }, 0)).toBe('*5');
  });

  it('outside the text there is nothing', () => {
    expect(excerpt(text, { start: 99, end: 99 })).toEqual([]);
  });

  it('long lines are cut', () => {
    expect(excerpt('x'.repeat(50), { start: 1, end: 1 }, { width: 3 })[2]).toBe('   1 | >>> xxx…');
  });
});

describe('didYouMean', () => {
  it.each([
    ['bulid', ['build', 'test'], false, ' (did you mean build?)'],
    ['xyz', ['build'], false, ''],
    ['build', ['build', 'built'], false, ''],
    ['RNU', ['run'], true, ' (did you mean RUN?)'],
    ['rnu', ['RUN'], true, ' (did you mean run?)'],
    ['abc', ['abcde', 'abcd'], false, ' (did you mean abcd?)'],
  ])('%s of %j', (word, options, fold, answer) => {
    expect(didYouMean(word, options, { fold })).toBe(answer);
  });
});
