import { describe, expect, it } from '@jest/globals';
import { linkSync, readdirSync, renameSync } from 'node:fs';
import { unpackArchives } from '../../../src/build/copy/archive.ts';
import { digestSelection } from '../../../src/build/copy/digest.ts';
import { modeChange } from '../../../src/build/copy/mode.ts';
import { parseFileMode } from '../../../src/dockerfile/index.ts';
import { selectSources } from '../../../src/build/copy/select.ts';
import { SelectionSum } from '../../../src/build/copy/selection-sum.ts';
import { TreeIndex } from '../../../src/build/copy/tree-index.ts';
import type { SourceTree } from '../../../src/build/copy/tree.ts';
import { copyInto } from '../../../src/build/copy/write.ts';
import { createIgnoreMatcher } from '../../../src/dockerfile/index.ts';
import { ScratchTree, type TreeSpec } from '../scratch.ts';
import { rootPrivileges as privileges } from '../../root-privileges.ts';

const root = process.getuid?.() === 0;
interface Copy {
  readonly from: TreeSpec;
  readonly into?: TreeSpec;
  readonly sources: readonly string[];
  readonly to: string;
  readonly ignore?: readonly string[];
  readonly exclude?: readonly string[];
  readonly parents?: boolean;
  readonly chmod?: string;
  readonly link?: boolean;
}

/** What is below the destination's root afterwards; the digest of what was copied is that of what was selected. */
function copy(spec: Copy): string[] {
  using from = new ScratchTree(spec.from);
  using into = new ScratchTree(spec.into ?? {});
  const tree: SourceTree = {
    root: from.root,
    ignore: spec.ignore === undefined ? undefined : createIgnoreMatcher(spec.ignore),
    resetOwner: true,
    label: 'the build context',
  };
  const sources = spec.sources.flatMap((pattern) => selectSources(tree, pattern, { parents: spec.parents ?? false }));
  const exclude = spec.exclude === undefined ? undefined : createIgnoreMatcher(spec.exclude);
  const sum = new SelectionSum();
  copyInto(sources, {
    root: into.root,
    destination: spec.to,
    mode: spec.chmod === undefined ? undefined : modeChange(parseFileMode(spec.chmod)),
    exclude,
    followLinks: spec.link !== true,
    privileges,
    sum,
  });
  expect(sum.digest(sources)).toBe(digestSelection(sources, { exclude }));
  using index = new TreeIndex(from.root, undefined);
  const indexed = sources.map((selected) => ({ ...selected, tree: { ...tree, index } }));
  expect(digestSelection(indexed, { exclude })).toBe(sum.digest(sources));
  return into.list();
}

/** What COPY makes of folders where `b/NAME` is another name of `a/f`. */
function copyLinked(name: string, spec: TreeSpec): string[] {
  using from = new ScratchTree(spec);
  using into = new ScratchTree();
  linkSync(`${from.root}/a/f`, `${from.root}/b/${name}`);
  const tree: SourceTree = { root: from.root, resetOwner: false, label: 'a stage' };
  const sources = ['a', 'b'].flatMap((pattern) => selectSources(tree, pattern, { parents: false }));
  copyInto(sources, { root: into.root, destination: '/x', followLinks: true, privileges });
  return into.list();
}

const cases: readonly [rule: string, spec: Copy, expected: readonly string[]][] = [
  ['a file becomes the destination', { from: { f: 'x' }, sources: ['f'], to: '/g' }, ['f644 g x']],
  [
    'a wildcard does not find a link to what is ignored',
    { from: { hidden: 'x', l: '-> hidden', l2: 'y' }, ignore: ['hidden'], sources: ['l*'], to: '/d/' },
    ['d755 d', 'f644 d/l2 y'],
  ],
  ['a trailing slash makes a folder', { from: { f: 'x' }, sources: ['f'], to: '/d/' }, ['d755 d', 'f644 d/f x']],
  [
    'an existing folder takes the file',
    { from: { f: 'x' }, into: { d: null }, sources: ['f'], to: '/d' },
    ['d755 d', 'f644 d/f x'],
  ],
  [
    'missing parents are 0755',
    { from: { f: 'x' }, sources: ['f'], to: '/a/b/g' },
    ['d755 a', 'd755 a/b', 'f644 a/b/g x'],
  ],
  [
    "a folder's contents are copied, not itself",
    { from: { 'd/f': 'x' }, sources: ['d'], to: '/x' },
    ['d755 x', 'f644 x/f x'],
  ],
  [
    'so too when a wildcard finds the folder',
    { from: { 'd1/f': 'x' }, sources: ['d*'], to: '/x' },
    ['d755 x', 'f644 x/f x'],
  ],
  [
    "a new destination does not get the source folder's mode",
    { from: { d: '|d700', 'd/f': 'x' }, sources: ['d'], to: '/x' },
    ['d755 x', 'f644 x/f x'],
  ],
  [
    'nested folders keep their modes',
    { from: { 'd/n': '|d2750', 'd/n/f': 'x' }, sources: ['d'], to: '/x' },
    ['d755 x', 'd2750 x/n', 'f644 x/n/f x'],
  ],
  [
    'an existing destination keeps its mode',
    { from: { 'd/f': 'x' }, into: { x: '|d700' }, sources: ['d'], to: '/x' },
    ['d700 x', 'f644 x/f x'],
  ],
  [
    'existing nested folders take the new mode',
    { from: { 'd/n': null }, into: { 'x/n': '|d700' }, sources: ['d'], to: '/x' },
    ['d755 x', 'd755 x/n'],
  ],
  [
    'without a slash the last of several files wins',
    { from: { a: '1', b: '2' }, sources: ['a', 'b'], to: '/t' },
    ['f644 t 2'],
  ],
  [
    'a link to a folder is followed at the destination',
    { from: { f: 'x' }, into: { real: null, ln: '-> real' }, sources: ['f'], to: '/ln' },
    ['l ln -> real', 'd755 real', 'f644 real/f x'],
  ],
  [
    'a dangling link is followed inside the root',
    { from: { f: 'x' }, into: { ln: '-> ../../../real' }, sources: ['f'], to: '/ln' },
    ['l ln -> ../../../real', 'f644 real x'],
  ],
  [
    'a source that is a link is followed',
    { from: { f: 'x', ln: '-> f' }, sources: ['ln'], to: '/d/' },
    ['d755 d', 'f644 d/ln x'],
  ],
  [
    'links in a copied folder stay links',
    { from: { 'd/f': 'x', 'd/ln': '-> f' }, sources: ['d'], to: '/' },
    ['f644 f x', 'l ln -> f'],
  ],
  ['a middle component may be a link', { from: { 'r/f': 'x', ln: '-> r' }, sources: ['ln/f'], to: '/' }, ['f644 f x']],
  [
    '.. and / mean the root of the context',
    { from: { f: 'x' }, sources: ['../../f', '/f'], to: '/d/' },
    ['d755 d', 'f644 d/f x'],
  ],
  ['a wildcard without a match is an empty copy', { from: { f: 'x' }, sources: ['*.txt'], to: '/d/' }, []],
  [
    'a file replaces a link in the destination folder',
    { from: { f: 'x' }, into: { 'd/f': '-> ../other', other: 'o' }, sources: ['f'], to: '/d/' },
    ['d755 d', 'f644 d/f x', 'f644 other o'],
  ],
  ['setuid survives', { from: { f: 'x|4755' }, sources: ['f'], to: '/' }, ['f4755 f x']],
  [
    '--chmod holds for created parents too',
    { from: { f: 'x' }, sources: ['f'], to: '/d/', chmod: '0700' },
    ['d700 d', 'f700 d/f x'],
  ],
  ['.dockerignore hides', { from: { a: '1', b: '2' }, sources: ['.'], to: '/', ignore: ['a'] }, ['f644 b 2']],
  [
    'an exception inside an excluded folder brings the folder',
    { from: { 'd/a': '1', 'd/b': '2' }, sources: ['.'], to: '/', ignore: ['d', '!d/b'] },
    ['d755 d', 'f644 d/b 2'],
  ],
  [
    'an excluded folder is not there',
    { from: { 'd/a': '1', c: '3' }, sources: ['.'], to: '/', ignore: ['d'] },
    ['f644 c 3'],
  ],
  [
    '--exclude is relative to the source',
    { from: { 'd/a.md': '1', 'd/n/b.md': '2', 'd/c': '3' }, sources: ['d'], to: '/', exclude: ['*.md'] },
    ['f644 c 3', 'd755 n', 'f644 n/b.md 2'],
  ],
  [
    '--exclude with ** reaches below',
    { from: { 'd/a.md': '1', 'd/n/b.md': '2' }, sources: ['d'], to: '/', exclude: ['**/*.md'] },
    ['d755 n'],
  ],
  [
    '--parents keeps the path',
    { from: { 'a/b/f': 'x', 'a/c': 'y' }, sources: ['a/b/f'], to: '/d/', parents: true },
    ['d755 d', 'd755 d/a', 'd755 d/a/b', 'f644 d/a/b/f x'],
  ],
  [
    '--parents keeps what follows the pivot',
    { from: { 'a/b/f': 'x' }, sources: ['a/./b/f'], to: '/d/', parents: true },
    ['d755 d', 'd755 d/b', 'f644 d/b/f x'],
  ],
  [
    '--link puts folders in place of links',
    { from: { f: 'x' }, into: { ln: '-> real', real: null }, sources: ['f'], to: '/ln/', link: true },
    ['d755 ln', 'f644 ln/f x', 'd755 real'],
  ],
];

const errors: readonly [rule: string, spec: Copy, code: string, text: RegExp][] = [
  [
    'a plain path that is not there',
    { from: {}, sources: ['nothing'], to: '/' },
    'SOURCE_NOT_FOUND',
    /"\/nothing": not found/,
  ],
  [
    'what .dockerignore hides',
    { from: { a: '1' }, sources: ['a'], to: '/', ignore: ['a'] },
    'SOURCE_NOT_FOUND',
    /"\/a": not found/,
  ],
  [
    'a link that leads out of the context',
    { from: { ln: '-> /etc/hostname' }, sources: ['ln'], to: '/' },
    'SOURCE_NOT_FOUND',
    /"\/ln": not found/,
  ],
  [
    'a folder over a file',
    { from: { 'd/f': 'x' }, into: { x: 'file' }, sources: ['d'], to: '/x' },
    'COPY_CONFLICT',
    /cannot copy to non-directory/,
  ],
  [
    'a nested folder over a file',
    { from: { 'd/n/f': 'x' }, into: { n: 'file' }, sources: ['d'], to: '/' },
    'COPY_CONFLICT',
    /cannot copy to non-directory/,
  ],
  [
    'a file over a nested folder',
    { from: { 'd/n': 'x' }, into: { 'n/f': 'y' }, sources: ['d'], to: '/' },
    'COPY_CONFLICT',
    /cannot replace to directory .* with file/,
  ],
  [
    'a ring of links',
    { from: { a: '-> b', b: '-> a' }, sources: ['a'], to: '/' },
    'COPY_CONFLICT',
    /too many symbolic links/,
  ],
];

(root ? describe : describe.skip)('copyInto (needs root to set owners)', () => {
  it.each(cases)('%s', (_rule, spec, expected) => {
    expect(copy(spec)).toEqual(expected);
  });

  it.each(errors)('refuses %s', (_rule, spec, code, text) => {
    expect(() => copy(spec)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(text) }));
  });
});

function digestOfTree(spec: TreeSpec, patterns: readonly string[] = ['.']): string {
  using from = new ScratchTree(spec);
  const tree: SourceTree = { root: from.root, resetOwner: true, label: 'the build context' };
  return digestSelection(patterns.flatMap((pattern) => selectSources(tree, pattern, { parents: false })));
}

(root ? describe : describe.skip)('hard links (needs root to set owners)', () => {
  it('a name that takes the place of the first one is made anew', () => {
    expect(copyLinked('f', { 'a/f': 'one', b: null })).toEqual(['d755 x', 'f644 x/f one']);
  });

  it('no link leads to what took the place of the first name', () => {
    expect(copyLinked('g', { 'a/f': 'AAA', 'b/f': 'BBB' })).toEqual(['d755 x', 'f644 x/f BBB', 'f644 x/g AAA']);
  });
});

describe('what ADD tries to unpack', () => {
  const unpacked = async (from: ScratchTree, exclude: readonly string[]): Promise<number> => {
    using into = new ScratchTree();
    const tree: SourceTree = { root: from.root, resetOwner: true, label: 'the build context' };
    const rest = await unpackArchives(selectSources(tree, '*', { parents: false }), {
      root: into.root,
      destination: '/',
      unpack: 'auto',
      exclude: createIgnoreMatcher(exclude),
      followLinks: true,
      privileges,
      signal: new AbortController().signal,
    });
    return readdirSync(from.root).length - rest.length;
  };

  it('is not what --exclude leaves out: its content is not in the cache key', async () => {
    const tar = Buffer.alloc(1024);
    tar.write('name');
    tar.write('0000644\0' + '0000000\0' + '0000000\0' + '00000000000\0' + '00000000000\0', 100);
    tar.write('        0', 148);
    tar.write('ustar\x0000', 257);
    const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    using from = new ScratchTree({ 'a.tar': tar.toString('latin1') });
    expect([await unpacked(from, ['a.tar']), await unpacked(from, ['b.tar'])]).toEqual([0, 1]);
  });

  it('may have a name that is not UTF-8', async () => {
    using from = new ScratchTree({ f: 'text' });
    renameSync(`${from.root}/f`, Buffer.from(`${from.root}/\xe9`, 'latin1'));
    expect(await unpacked(from, ['x'])).toBe(0);
  });
});

describe('digestSelection', () => {
  const base: TreeSpec = { 'd/a': '1', b: '2' };
  const same: readonly [change: string, spec: TreeSpec][] = [['nothing', { b: '2', 'd/a': '1' }]];
  const different: readonly [change: string, spec: TreeSpec][] = [
    ['content', { 'd/a': '9', b: '2' }],
    ['a name in a folder', { 'd/c': '1', b: '2' }],
    ['a mode', { 'd/a': '1|755', b: '2' }],
    ['an empty folder', { 'd/a': '1', b: '2', e: null }],
    ['a file that became a link', { 'd/a': '1', b: '-> d/a' }],
  ];

  it.each(same)('is the same after a change of %s', (_change, spec) => {
    expect(digestOfTree(spec)).toBe(digestOfTree(base));
  });

  it.each(different)('changes with %s', (_change, spec) => {
    expect(digestOfTree(spec)).not.toBe(digestOfTree(base));
  });

  it('does not depend on what a copied folder is called', () => {
    expect(digestOfTree({ 'x/f': '1' }, ['x'])).toBe(digestOfTree({ 'y/f': '1' }, ['y']));
  });

  it('does not depend on what a file is called that the step names: that is another part of its key', () => {
    expect(digestOfTree({ x: '1' }, ['x'])).toBe(digestOfTree({ y: '1' }, ['y']));
  });

  it('depends on what a file is called that a wildcard finds', () => {
    expect(digestOfTree({ x: '1' }, ['*'])).not.toBe(digestOfTree({ y: '1' }, ['*']));
  });
});
