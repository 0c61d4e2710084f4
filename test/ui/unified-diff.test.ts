import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unifiedDiff } from '../../src/ui/index.ts';

const numbers = (...changes: readonly (readonly [number, string])[]) => {
  const lines = Array.from({ length: 20 }, (_, index) => `${index + 1}\n`);
  for (const [line, text] of changes) lines[line - 1] = text;
  return lines.join('');
};

const cases: readonly (readonly [rule: string, before: string, after: string, hunks: string])[] = [
  ['a changed line', 'a\nb\n', 'a\nc\n', '@@ -1,2 +1,2 @@\n a\n-b\n+c\n'],
  ['an added line', 'a\n', 'a\nb\n', '@@ -1 +1,2 @@\n a\n+b\n'],
  ['a removed line', 'a\nb\n', 'b\n', '@@ -1,2 +1 @@\n-a\n b\n'],
  ['from nothing', '', 'a\n', '@@ -0,0 +1 @@\n+a\n'],
  ['to nothing', 'a\n', '', '@@ -1 +0,0 @@\n-a\n'],
  ['a line without end', 'a', 'a\n', '@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n'],
  ['both without end', 'a\nb', 'c\nb', '@@ -1,2 +1,2 @@\n-a\n+c\n b\n\\ No newline at end of file\n'],
  ['other line ends', 'a\r\n', 'a\n', '@@ -1 +1 @@\n-a\r\n+a\n'],
  [
    'three lines around a change',
    numbers(),
    numbers([10, 'x\n']),
    '@@ -7,7 +7,7 @@\n 7\n 8\n 9\n-10\n+x\n 11\n 12\n 13\n',
  ],
  [
    'near changes share a hunk',
    numbers(),
    numbers([2, ''], [8, 'x\n']),
    '@@ -1,11 +1,10 @@\n 1\n-2\n 3\n 4\n 5\n 6\n 7\n-8\n+x\n 9\n 10\n 11\n',
  ],
  [
    'far ones do not',
    numbers(),
    numbers([1, ''], [9, 'x\ny\n']),
    '@@ -1,4 +1,3 @@\n-1\n 2\n 3\n 4\n@@ -6,7 +5,8 @@\n 6\n 7\n 8\n-9\n+x\n+y\n 10\n 11\n 12\n',
  ],
];

describe('unifiedDiff', () => {
  it.each(cases)('%s', (_, before, after, hunks) => {
    expect(unifiedDiff(before, after, 'f')).toBe(`--- f\n+++ f\n${hunks}`);
  });

  it('is empty for equal texts', () => expect(unifiedDiff('a\n', 'a\n', 'f')).toBe(''));

  it('gives the second text when applied to the first', () => {
    const text = fc
      .tuple(fc.array(fc.constantFrom('a\n', 'b\n', 'c\n', '\n'), { maxLength: 40 }), fc.constantFrom('', 'a', 'z'))
      .map(([lines, end]) => lines.join('') + end);
    fc.assert(
      fc.property(text, text, (before, after) => {
        expect(applied(before, unifiedDiff(before, after, 'f'))).toBe(after);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives up looking for the shortest way between long texts, and is right', () => {
    const before = Array.from({ length: 3000 }, (_, index) => `a${index}\n`).join('');
    const after = before.replaceAll('a', 'b');
    expect(applied(before, unifiedDiff(before, after, 'f'))).toBe(after);
  });
});

/** What patch(1) would make of it; fails where the diff does not fit. */
function applied(before: string, diff: string): string {
  const source = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const result: string[] = [];
  let line = 0;
  for (const hunk of diff.split(/^(?=@@ )/m).slice(1)) {
    const [, start = '', count = '1'] = /^@@ -(\d+)(?:,(\d+))?/.exec(hunk) ?? [];
    const first = count === '0' ? Number(start) : Number(start) - 1;
    result.push(...source.slice(line, first));
    line = first;
    for (const [, kind, content, open] of hunk.matchAll(/^([ +-])(.*)\n(\\ No newline at end of file\n)?/gm)) {
      const text = open === undefined ? `${content}\n` : content;
      if (kind !== '+') expect(source[line++]).toBe(text);
      if (kind !== '-') result.push(text ?? '');
    }
  }
  return [...result, ...source.slice(line)].join('');
}
