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

  it.each([
    [
      'a word behind tabs',
      '\tCOPY\t--x',
      { line: 1, column: 7 },
      '   1 | >>>     COPY    --x',
      '     |                 ^',
    ],
    [
      'a word behind wide letters',
      'ENV 日本=한 x',
      { line: 1, column: 9 },
      '   1 | >>> ENV 日本=한 x',
      '     |                ^',
    ],
    ['a word behind a picture', 'ENV 🚀 x', { line: 1, column: 8 }, '   1 | >>> ENV 🚀 x', '     |            ^'],
    [
      'a word behind a letter with a mark',
      'ENV e\u0301 x',
      { line: 1, column: 8 },
      '   1 | >>> ENV e\u0301 x',
      '     |           ^',
    ],
    [
      'a word behind a byte order mark',
      '\ufeffFROM a',
      { line: 1, column: 6 },
      '   1 | >>> FROM a',
      '     |          ^',
    ],
  ])('points at %s', (_, line, position, shown, pointer) => {
    expect(excerpt(line, { start: 1, end: 1 }, { position }).slice(2, 4)).toEqual([shown, pointer]);
  });

  it('points at the first word of the first line by its mark alone, and of others by a pointer', () => {
    const lines = ['RUN <<E', ' apt', 'E'];
    const pointed = (line: number, column: number) =>
      excerpt(lines, { start: 1, end: 3 }, { position: { line, column } }).filter((shown) => shown.endsWith('^'));
    expect(pointed(1, 1)).toEqual([]);
    expect(pointed(2, 2)).toEqual(['     |      ^']);
  });

  it.each([
    [{ line: 10, column: 2 }, '1 2 … 6 7 8 9 10 11 12 13 14 …'],
    [{ line: 2, column: 1 }, '1 2 3 4 5 6 …'],
    [{ line: 28, column: 1 }, '1 2 … 24 25 26 27 28 29 30 31'],
    [undefined, Array.from({ length: 31 }, (_, index) => index + 1).join(' ')],
  ])('of a long instruction shows its beginning and what is near %j', (position, shown) => {
    const lines = Array.from({ length: 31 }, () => ' x');
    const body = excerpt(lines, { start: 2, end: 30 }, { position }).slice(2, -1);
    const numbers = body.map((line) => (line.includes('…') ? '…' : line.slice(0, 5).trim()));
    expect(numbers.filter((number) => number !== '').join(' ')).toBe(shown);
  });

  it('makes room for long numbers', () => {
    const lines = Array.from({ length: 1001 }, () => 'a b');
    const shown = excerpt(lines, { start: 1000, end: 1000 }, { context: 1, position: { line: 1000, column: 3 } });
    expect(shown.slice(2, -1)).toEqual(['  999 |     a b', ' 1000 | >>> a b', '      |       ^']);
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
