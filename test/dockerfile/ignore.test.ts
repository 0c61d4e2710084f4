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
  ['a/b/c', 'a/b/c a/b/c/d', 'a a/b a/b/cd'],
  ['a.txt', 'a.txt a.txt/b', 'a.txt2 xa.txt atxt'],
  ['.a', '.a .a/b', 'a x/.a'],
  ['...', '.../x ...', 'a'],
  ['a-b', 'a-b', 'ab a'],
  ['a~', 'a~', 'a'],
  ['#a', '#a', 'a'],
  ['a#b', 'a#b', 'a'],
  ['a=b', 'a=b', 'a'],
  ['a,b', 'a,b', 'a b'],
  ['a@b', 'a@b', 'a'],
  ['a%b', 'a%b', 'a'],
  ["a'b", "a'b", 'ab'],
  ['a"b', 'a"b', 'ab'],
  ['a:b', 'a:b', 'a'],
  ['a]', 'a]', 'a'],
  ['日本', '日本 日本/x', '日'],
  ['A', 'A', 'a'],
  ['a/', 'a a/b', 'ab'],
  ['./a', 'a a/b', 'x/a'],
  ['a//b', 'a/b', 'a b'],
  ['a/./b', 'a/b', 'a'],
  ['a/../b', 'b b/c', 'a a/b'],
  ['/a', '', 'a a/b'],
  ['../a', '', 'a b/a'],
  ['.', '', 'a a/b'],
  ['/', '', 'a'],
  ['*a*', 'a ba ab bab/c', 'b b/a'],
  ['a*b*c', 'abc axbxc abbcc', 'ab a/b/c acb'],
  ['*.tar.gz', 'x.tar.gz .tar.gz', 'x.tar x.gz a/x.tar.gz'],
  ['*.', 'a.', 'a a.b'],
  ['*/a', 'x/a x/a/b', 'a x/y/a'],
  ['*/*', 'a/b a/b/c', 'a'],
  ['*/*/*', 'a/b/c a/b/c/d', 'a/b a'],
  ['*/*/x', 'a/b/x', 'a/x x a/b/c/x'],
  ['*/.git', 'a/.git', '.git a/b/.git'],
  ['a/*/b/*/c', 'a/x/b/y/c a/x/b/y/c/d', 'a/b/c a/x/b/c'],
  ['a/*.o', 'a/x.o a/.o', 'x.o a/b/x.o'],
  ['a/x*', 'a/x a/xy/z', 'a/y x'],
  ['a?', 'ab aä', 'a abc a/b'],
  ['??', 'ab ää', 'a abc'],
  ['a?/b', 'ax/b', 'a/b axx/b'],
  ['?/?', 'a/b a/b/c', 'a ab/c'],
  ['*?', 'a ab abc/d', ''],
  ['?*x', 'ax abx', 'x'],
  ['[a-c]', 'a b c a/x', 'd ab'],
  ['[a-cx-z]', 'b y', 'm'],
  ['[0-9]*', '1 1a 9/x', 'a1'],
  ['a[0-9].log', 'a1.log', 'a.log a12.log'],
  ['[^a-c]', 'd', 'a b'],
  ['[^a][^b]', 'bc', 'ac bb'],
  ['[a]/b', 'a/b', 'a b/b'],
  ['*[0-9]', 'a1 1', 'a'],
  ['[\\]]', ']', 'a'],
  ['[a\\-c]', 'a c -', 'b'],
  ['[é-í]', 'ê', 'a'],
  ['\\a', 'a a/b', 'b'],
  ['\\!a', '!a', 'a'],
  ['\\#a', '#a', 'a'],
  ['a\\?b', 'a?b', 'axb'],
  ['a\\[b', 'a[b', 'ab'],
  ['a\\\\b', 'a\\b', 'ab'],
  ['*\\*', 'a* *', 'a'],
  ['***', 'a a/b', ''],
  ['***a', 'a xa x/a x/ya', 'ab'],
  ['a***', 'a ab a/b', 'b'],
  ['**?', 'a a/b', ''],
  ['**.md', 'x.md a/x.md .md', 'md x.mdx'],
  ['**/.git', '.git a/.git a/b/.git/x', 'a/git .gitignore'],
  ['**/.*', '.a x/.b x/.c/d', 'a x/y'],
  ['**/*.*', 'a.b x/a.b', 'a x/y'],
  ['**/a*', 'a ab x/ab x/y/ab/z', 'ba x/b'],
  ['**/*a', 'a ba x/ba', 'ab'],
  ['**/a?b', 'axb x/ayb', 'ab x/ab'],
  ['**/[ab]', 'a x/b', 'c x/c'],
  ['**/a/*', 'a/b x/a/b', 'a x/a b'],
  ['**/a/**', 'a/b x/a/b/c', 'a x/a'],
  ['**/a/b/c', 'a/b/c x/a/b/c x/y/a/b/c', 'a/b b/c'],
  ['**/*/a', 'x/a x/y/a', 'a'],
  ['**/**/a', 'a x/a x/y/a', 'ab'],
  ['*/**', 'a/b a/b/c', 'a'],
  ['*/**/a', 'x/a x/y/a', 'a'],
  ['a/**/**/b', 'a/b a/x/b a/x/y/b', 'a b'],
  ['a/**/b/**/c', 'a/b/c a/x/b/y/c', 'a/c b/c a/b'],
  ['a/b/**', 'a/b/c a/b/c/d', 'a/b a'],
  ['a/**/*', 'a/b a/b/c', 'a b'],
  ['a/**/?', 'a/b a/x/c', 'a/bc'],
  ['a**/b', 'ab a/b axx/b a/x/b', 'axb a/bc'],
  ['a**/*b', 'ab a/b a/xb ax/yb', 'a xb'],
  ['a**/b**/c', 'abc a/b/c ax/by/c a/bc', 'a/c a/xb/c'],
  ['**a**', 'a ab x/a x/ab/y', 'b ba x/ba'],
  ['**a/b', 'a/b xa/b x/a/b', 'a b'],
  ['*a/**/b', 'a/b xa/b xa/y/b', 'b x/b'],
  ['a*/**', 'a/b ab/c/d', 'a b/c'],
  ['a b', 'a b', ''],
  ['a b !a', 'b', 'a'],
  ['a a !a', '', 'a'],
  ['!a a', 'a', 'b'],
  ['!a !b', '', 'a b'],
  ['a !a a', 'a a/b', 'b'],
  ['a !a a !a', '', 'a a/b'],
  ['* !.', 'a a/b', ''],
  ['* !*', '', 'a a/b'],
  ['* !**', '', 'a a/b'],
  ['** !*', '', 'a a/b'],
  ['* !*/*', 'a', 'a/b a/b/c'],
  ['* !a/', 'b', 'a a/b'],
  ['* !a/*', 'a b', 'a/b a/b/c'],
  ['* !a/**', 'a b/c', 'a/b a/b/c'],
  ['* !a/*/c', 'a a/b a/b/d', 'a/b/c a/b/c/d'],
  ['* !a*', 'b b/a', 'a ab ab/c'],
  ['* !?', 'ab', 'a a/b'],
  ['* ![ab]', 'c', 'a b/c'],
  ['* !**/a', 'b b/c', 'a b/a b/c/a/d'],
  ['* !src !*.json', 'lib x.md lib/x.json', 'src src/a x.json'],
  ['* !src src/*.test.js', 'src/a.test.js x', 'src/a.js src/b/a.test.js'],
  ['* !src **/*.test.js', 'src/a.test.js src/b/a.test.js', 'src/a.js'],
  ['**/*.js !a/*.js', 'x.js b/x.js a/b/x.js', 'a/x.js a/x.ts'],
  ['a/* !a/b', 'a/c a/c/d', 'a a/b a/b/c'],
  ['a/** !a/b/c', 'a/b a/b/d', 'a a/b/c'],
  ['a/** !a/**/*.md', 'a/b a/b/c', 'a/x.md a/b/x.md'],
  ['a/b !a/b/c a/b/c/d', 'a/b a/b/x a/b/c/d', 'a/b/c a/b/c/x'],
  ['**/a !x/a', 'a y/a', 'x/a x/a/b'],
  ['**/a !**/b/a', 'a x/a', 'b/a x/b/a'],
  ['.* !.env', '.git .a/b', '.env .env/x a'],
  ['.env* !.env.example', '.env .env.local', '.env.example'],
  ['docs !docs/api docs/api/*.tmp', 'docs docs/x docs/api/a.tmp', 'docs/api docs/api/a docs/api/b/a.tmp'],
  ['**/node_modules !a/node_modules/b', 'node_modules a/node_modules a/node_modules/c', 'a/node_modules/b'],
  ['node_modules **/*.log !keep.log', 'node_modules/x a.log b/a.log b/keep.log', 'keep.log'],
  ['**/*.log !**/keep.log', 'a.log b/a.log', 'keep.log b/keep.log'],
  ['*.log !*.log', '', 'a.log'],
  ['!*.log *.log', 'a.log', 'a'],
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
