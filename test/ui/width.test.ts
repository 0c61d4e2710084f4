import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { clip, displayWidth, fit } from '../../src/ui/index.ts';

describe('displayWidth', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['naïve', 5],
    ['nai\u0308ve', 5],
    ['漢字', 4],
    ['ｆｕｌｌ', 8],
    ['한국어', 6],
    ['👍', 2],
    ['👨‍👩‍👧', 2],
    ['🇩🇪', 2],
    ['✔', 1],
    ['✔\ufe0f', 2],
    ['a\u200bb', 2],
    ['\u001b[31mred\u001b[0m', 3],
    ['…', 1],
  ])('of %j is %d', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('clip', () => {
  it.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdefg', 6, 'abcde…'],
    ['漢字漢字', 6, '漢字…'],
    ['漢字漢字', 5, '漢字…'],
    ['漢字漢字', 4, '漢…'],
    ['👨‍👩‍👧👨‍👩‍👧', 3, '👨‍👩‍👧…'],
    ['\u001b[31mabcdef\u001b[0m', 4, '\u001b[31mabc…\u001b[0m'],
  ])('%j to %d columns is %j', (text, width, result) => {
    expect(clip(text, width)).toBe(result);
  });

  it('never gives more columns than are there, and fit gives exactly those', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 30 }), (text, width) => {
        expect(displayWidth(clip(text, width))).toBeLessThanOrEqual(width);
        expect(displayWidth(fit(text, width))).toBe(width);
      }),
    );
  });
});
