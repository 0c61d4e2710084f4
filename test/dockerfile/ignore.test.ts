import { describe, expect, it } from '@jest/globals';
import { createGlobMatcher, createIgnoreMatcher, hasWildcards, parseIgnore } from '../../src/dockerfile/index.ts';

/** Patterns parted by blanks; paths that they exclude, and paths that they do not. */
const cases: readonly (readonly [patterns: string, excluded: string, kept: string])[] = [
  ['a', 'a a/b a/b/c', 'b ab ba/a x/a'],
  ['a/b', 'a/b a/b/c', 'a b a/bc x/a/b'],
  ['*', 'a .git a/b', ''],
  ['*.md', 'README.md x.md/y', 'docs/x.md md READMEmd'],
  ['*/*.md', 'docs/x.md', 'x.md a/b/x.md'],
  ['a*', 'a ab abc/d', 'ba b/a'],
  ['*a', 'a ba ba/c', 'ab'],
  ['a*c', 'ac abc abbc', 'a/c abcd'],
  ['a?c', 'abc', 'ac a/c abbc'],
  ['?', 'a x/y', 'ab'],
  ['[ab]', 'a b/c', 'c ab'],
  ['[a-c]x', 'ax bx cx', 'dx'],
  ['[^a]x', 'bx', 'ax x'],
  ['x[[]y', 'x[y', 'xy'],
  ['a\\*b', 'a*b', 'axb'],
  ['a\\b', 'ab', 'a'],
  ['**', 'a a/b/c .x', ''],
  ['**/a', 'a x/a x/y/a x/a/z', 'ab ba x/ab'],
  ['**/*.log', 'x.log a/b/x.log', 'log x.logs'],
  ['**/a/b', 'a/b x/a/b', 'a x/b ab'],
  ['**a', 'a ba x/ba x/a', 'ab'],
  ['a/**', 'a/b a/b/c', 'a b/a'],
  ['a/**/b', 'a/b a/x/b a/x/y/b', 'a b a/bx'],
  ['a/**/*.go', 'a/x.go a/b/c/x.go', 'x.go a/x.c'],
  ['a**', 'a ab a/b abc/d', 'ba'],
  ['a**b', 'ab ax/b', 'axb a'],
  ['a/**/', 'a/b a/b/c', 'a'],
  ['**/node_modules', 'node_modules node_modules/x a/node_modules a/b/node_modules/c', 'a/node_modules2'],
  ['**/node_modules/**', 'node_modules/x a/node_modules/x/y', 'node_modules a'],
  ['**/*', 'a a/b', ''],
  ['**/**', 'a a/b', ''],
  ['**/a/**/b', 'a/b x/a/b a/x/b x/a/y/z/b', 'a b'],
  ['a/*/c', 'a/b/c a/b/c/d', 'a/c a/b/x/c'],
  ['a/*', 'a/b a/b/c', 'a b'],
  ['.*', '.git .env/x', 'a a/.git'],
  ['*.*', 'a.b .x', 'a'],
  ['a.b', 'a.b', 'axb'],
  ['a+b', 'a+b', 'aab'],
  ['(a)', '(a)', 'a'],
  ['a|b', 'a|b', 'a b'],
  ['a{1}', 'a{1}', 'a'],
  ['^a', '^a', 'a'],
  ['a$', 'a$', 'a'],
  ['*^a', 'x^a', 'xa'],
  ['*$', 'x$', 'x'],
  ['ä', 'ä ä/b', 'a'],
  ['?x', 'äx', 'x'],
  ['[ä]x', 'äx', 'ax'],
  ['a !a', '', 'a a/b'],
  ['a !a/b', 'a a/c', 'a/b a/b/c'],
  ['* !a', 'b c/d', 'a a/b'],
  ['* !a a/b', 'c a/b a/b/d', 'a a/c'],
  ['* !a a/b !a/b/c', 'a/b a/b/d', 'a a/b/c a/b/c/e'],
  ['* !*.md', 'a a/x.md', 'x.md'],
  ['* !**/*.md', 'a a/x', 'x.md a/x.md a/b/x.md'],
  ['*.md !README*.md', 'x.md', 'README.md README-x.md a/README.md'],
  ['*.md !README*.md README-secret.md', 'x.md README-secret.md', 'README.md'],
  ['*.md README-secret.md !README*.md', 'x.md', 'README.md README-secret.md'],
  ['!a', '', 'a b'],
  ['!a *', 'a b', ''],
  ['* !dir/**/*.go dir/skip', 'a dir/x.txt dir/skip dir/skip/c.go dir/skip/s/c.go', 'dir/a.go dir/s/d.go'],
  ['a/b !a', '', 'a/b a'],
  ['** !a/b/c', 'a a/b a/b/d', 'a/b/c a/b/c/d'],
  ['a*b*c*d*e', 'abcde axbxcxdxe', 'abcd a/bcde'],
  ['**/a*b*c*d', 'abcd x/y/axbxcxd', 'x/a/bcd'],
  ['Dockerfile .dockerignore', 'Dockerfile .dockerignore', 'x/Dockerfile'],
  ['target !target/release', 'target target/debug', 'target/release target/release/app'],
  ['src/**/*.test.ts', 'src/a.test.ts src/a/b.test.ts', 'a.test.ts src/a.ts lib/a.test.ts'],
];

const rows = cases.flatMap(([patterns, excluded, kept]) => [
  ...excluded.split(' ').flatMap((path) => (path === '' ? [] : [[patterns, path, true] as const])),
  ...kept.split(' ').flatMap((path) => (path === '' ? [] : [[patterns, path, false] as const])),
]);

describe('createIgnoreMatcher', () => {
  it.each(rows)('%s on %s: %s', (patterns, path, excluded) => {
    expect(createIgnoreMatcher(patterns.split(' ')).matches(path)).toBe(excluded);
  });

  it('gives the same answers in any order of asking', () => {
    const matcher = createIgnoreMatcher(['*', '!a', 'a/b', '!a/b/c']);
    const paths = ['a/b/c/d', 'a/b/x', 'a', 'a/b', 'a/b/c', 'z'];
    const first = paths.map((path) => matcher.matches(path));
    expect(paths.toReversed().map((path) => matcher.matches(path))).toEqual(first.toReversed());
  });

  it('never excludes the root', () => {
    expect(createIgnoreMatcher(['*', '.', '**']).matches('.')).toBe(false);
  });

  it.each(['[', 'a[', '[]a]', '[a', '[-a]', 'a\\', '!', '[a-]'])('refuses %s', (pattern) => {
    expect(() => createIgnoreMatcher([pattern])).toThrow(/syntax error in pattern|illegal exclusion pattern/);
  });

  it('takes no time over what makes regular expressions backtrack', () => {
    const matcher = createIgnoreMatcher([`${'*a'.repeat(30)}b`, `${'**/a/'.repeat(30)}b`]);
    expect(matcher.matches('a'.repeat(250))).toBe(false);
    expect(matcher.matches('a/'.repeat(1000).slice(0, -1))).toBe(false);
  });
});

const walks: readonly (readonly [patterns: string, folder: string, entered: boolean])[] = [
  ['a', 'b', true],
  ['a', 'a', false],
  ['a', 'a/b', false],
  ['*', 'a', false],
  ['* !b', 'a', false],
  ['* !a/b', 'a', true],
  ['* !a/b', 'a/c', false],
  ['* !a/b/c/d', 'a/b', true],
  ['* !**/x', 'a', true],
  ['* !a/**/x', 'a', true],
  ['* !a/**/x', 'b', false],
  ['* !*/x', 'a', true],
  ['* !*/x', 'a/b', false],
  ['!a/b *', 'a', false],
  ['a !a/b', 'a', true],
  ['* !a a/b', 'a/b', false],
  ['* !a[b]/x', 'c', true],
  ['* !dir/**/*.go dir/skip', 'dir/skip', false],
  ['* !dir/**/*.go dir/skip', 'dir/s', true],
  ['node_modules', '.', true],
];

describe('mayHaveIncluded', () => {
  it.each(walks)('%s in %s: %s', (patterns, folder, entered) => {
    expect(createIgnoreMatcher(patterns.split(' ')).mayHaveIncluded(folder)).toBe(entered);
  });
});

describe('parseIgnore', () => {
  it.each([
    ['lines become patterns', 'a\nb\n', ['a', 'b']],
    ['a byte order mark goes', '\ufeffa', ['a']],
    ['carriage returns go', 'a\r\nb\r\n', ['a', 'b']],
    ['empty lines go', '\n\n a \n\t\n', ['a']],
    ['a hash in the first column is a comment', '#a\nb', ['b']],
    ['a hash after a blank is a pattern', ' #a', ['#a']],
    ['blanks around go', '  a b  ', ['a b']],
    ['paths are cleaned', './a/../b//c/', ['b/c']],
    ['a leading slash goes', '/a', ['a']],
    ['the root alone stays', '/', ['/']],
    ['after an exclamation mark too', '! /a/', ['!a']],
    ['an exclamation mark alone stays', '!', ['!']],
    ['a dot stays', '.', ['.']],
  ])('%s', (_, text, patterns) => {
    expect(parseIgnore(text)).toEqual(patterns);
  });

  it('reads bytes', () => {
    expect(parseIgnore(new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0x0a]))).toEqual(['a']);
  });
});

describe('createGlobMatcher', () => {
  it.each([
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*', 'a/b', false],
    ['*', '', true],
    ['*c', 'abc', true],
    ['a*/b', 'abc/b', true],
    ['a*/b', 'a/c/b', false],
    ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
    ['a*b*c*d*e*/f', 'axbxcxdxexxx/fff', false],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[e-g]', 'abc', false],
    ['ab[^c]', 'abc', false],
    ['ab[^e-g]', 'abc', true],
    ['[z-a]', 'b', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'ab', false],
    ['a?b', 'a☺b', true],
    ['a[^a]b', 'a☺b', true],
    ['a???b', 'a☺b', false],
    ['[a-ζ]*', 'α', true],
    ['*[a-ζ]', 'A', false],
    ['a?b', 'a/b', false],
    ['[\\]a]', ']', true],
    ['[\\-]', '-', true],
    ['[x\\-]', 'z', false],
    ['[[]xyz]', '[xyz]', true],
    ['**', 'a', true],
    ['**', 'a/b', false],
    ['.*', 'x', false],
  ])('%s on %s: %s', (pattern, path, matches) => {
    expect(createGlobMatcher(pattern)(path)).toBe(matches);
  });

  it.each([
    ['a', false],
    ['a*', true],
    ['a?', true],
    ['[a]', true],
    ['a\\*', false],
    ['a\\**', true],
    ['a]', false],
  ])('hasWildcards(%s): %s', (path, wild) => {
    expect(hasWildcards(path)).toBe(wild);
  });
});
