import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { boundFolder } from '../../../src/build/copy/cache-file.ts';
import { digestSelection } from '../../../src/build/copy/digest.ts';
import {
  compareListings,
  type Listing,
  type ListingChange,
  type ListingEntry,
} from '../../../src/build/copy/listing.ts';
import { readListing, writeListing } from '../../../src/build/copy/listing-file.ts';
import { selectSources } from '../../../src/build/copy/select.ts';
import { digestJob } from '../../../src/build/operations/select.ts';
import { ScratchTree } from '../scratch.ts';

const file = (path: string, content: string, mode = '644', owner = '0:0'): ListingEntry => {
  return { path, kind: 'f', mode, owner, content };
};
const folder = (path: string): ListingEntry => ({ path, kind: 'd', mode: '755', owner: '0:0', content: '' });
const link = (path: string, content: string): ListingEntry => ({ path, kind: 'l', mode: '', owner: '0:0', content });
const listing = (...entries: ListingEntry[]): Listing => ({ entries, complete: true });

const old = listing(file('a', '1'), folder('d'), link('d/l', 'x'), file('d/z', '2'));
const differences: readonly [what: string, current: Listing, expected: readonly ListingChange[]][] = [
  ['nothing', old, []],
  [
    'a content',
    listing(file('a', '9'), folder('d'), link('d/l', 'x'), file('d/z', '2')),
    [{ path: 'a', change: 'content', before: 'sha256:1', after: 'sha256:9' }],
  ],
  [
    'mode and owner of one file',
    listing(file('a', '1', '755', '1:1'), folder('d'), link('d/l', 'x'), file('d/z', '2')),
    [
      { path: 'a', change: 'mode', before: '644', after: '755' },
      { path: 'a', change: 'owner', before: '0:0', after: '1:1' },
    ],
  ],
  [
    "a link's target",
    listing(file('a', '1'), folder('d'), link('d/l', 'y'), file('d/z', '2')),
    [{ path: 'd/l', change: 'content', before: 'x', after: 'y' }],
  ],
  [
    'a kind',
    listing(folder('a'), folder('d'), link('d/l', 'x'), file('d/z', '2')),
    [{ path: 'a', change: 'kind', before: 'file', after: 'folder' }],
  ],
  [
    'a new name of a file',
    listing(file('b', '1'), folder('d'), link('d/l', 'x'), file('d/z', '2')),
    [
      { path: 'b', change: 'added', after: 'sha256:1' },
      { path: 'a', change: 'removed', before: 'sha256:1' },
    ],
  ],
];

describe('compareListings', () => {
  it.each(differences)('names %s', (_what, current, expected) => {
    expect(compareListings(old, current)).toEqual({ changes: expected, more: 0 });
  });

  it('names no more than is asked for, and counts the rest', () => {
    const many = listing(...['a', 'b', 'c', 'd'].map((path) => file(path, '1')));
    const found = compareListings(listing(), many, 3);
    expect([found.changes.map(({ path }) => path), found.more]).toEqual([['a', 'b', 'c'], 1]);
  });

  it('does not call gone what an incomplete listing does not name', () => {
    expect(compareListings(old, { entries: [file('a', '1')], complete: false })).toEqual({ changes: [], more: 0 });
    expect(compareListings({ entries: [], complete: false }, old)).toEqual({ changes: [], more: 0 });
  });
});

describe('listing files', () => {
  it('come back as they were written', () => {
    using place = new ScratchTree();
    const path = join(place.root, 'listings', 'x');
    const entries = [
      file('a b\n"c', '1'),
      folder('d'),
      link('é', 'x y'),
      { ...file('p', '10000 0'), kind: 's' as const },
    ];
    writeListing(path, entries);
    expect(readListing(path)).toEqual({ entries, complete: true });
    expect(readdirSync(join(place.root, 'listings'))).toEqual(['x']);
  });

  it('that are damaged, or something else, are none', () => {
    using place = new ScratchTree({ text: 'not zstd' });
    const path = join(place.root, 'x');
    writeListing(path, [file('a', '1')]);
    writeFileSync(`${path}.half`, readFileSync(path).subarray(0, -5));
    expect([readListing(`${path}.half`), readListing(join(place.root, 'text')), readListing('/nowhere')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('are no reason to fail where they cannot be written', () => {
    using place = new ScratchTree({ taken: 'x' });
    expect(() => writeListing(join(place.root, 'taken', 'x'), [])).not.toThrow();
  });

  it('say what a digest job saw', () => {
    using place = new ScratchTree({ 'ctx/a': 'x', 'ctx/d/l': '-> ../a' });
    const root = { kind: 'directory', path: join(place.root, 'ctx'), readOnly: true } as const;
    const tree = { root, resetOwner: true, label: 'the build context' };
    const selection = { sources: [{ kind: 'tree', tree, pattern: '.' } as const], parents: false, exclude: [] };
    const digest = digestJob({ kind: 'digest', selection, scratch: '' });
    const path = join(place.root, digest);
    expect(digestJob({ kind: 'digest', selection, scratch: '', listing: path })).toBe(digest);
    const sources = selectSources({ ...tree, root: root.path }, '.', { parents: false });
    expect(digest).toBe(digestSelection(sources));
    const sha256OfX = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';
    expect(readListing(path)?.entries).toEqual([file('a', sha256OfX), folder('d'), link('d/l', '../a')]);
    // The files changed since the digest was made that it is called after.
    writeFileSync(join(root.path, 'a'), 'y');
    const other = join(place.root, '0'.repeat(64));
    expect(digestJob({ kind: 'digest', selection, scratch: '', listing: other })).not.toBe(digest);
    expect(readListing(other)).toBeUndefined();
  });
});

describe('boundFolder', () => {
  const fill = (folderPath: string, names: readonly string[]): void => {
    mkdirSync(folderPath, { recursive: true });
    for (const [index, name] of names.entries()) {
      writeFileSync(join(folderPath, name), 'x'.repeat(10));
      utimesSync(join(folderPath, name), 1_000_000_000 + index, 1_000_000_000 + index);
    }
  };

  it.each([
    ['few files', { bytes: 1000, files: 2 }, ['c', 'd']],
    ['few bytes', { bytes: 25, files: 100 }, ['c', 'd']],
    ['all that there is', { bytes: 1000, files: 100 }, ['a', 'b', 'c', 'd']],
  ])('keeps %s, the newest', (_what, bounds, expected) => {
    using place = new ScratchTree();
    fill(place.root, ['a', 'b', 'c', 'd']);
    boundFolder(place.root, join(place.root, 'd'), bounds);
    expect(readdirSync(place.root)).toEqual(expected);
  });

  it('keeps what was just written, and clears away what a dead writer left', () => {
    using place = new ScratchTree();
    fill(place.root, ['a', 'b.temporary', 'c']);
    boundFolder(place.root, join(place.root, 'a'), { bytes: 1, files: 100 });
    expect(readdirSync(place.root)).toEqual(['a']);
  });
});
