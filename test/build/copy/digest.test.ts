import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { digestSelection } from '../../../src/build/copy/digest.ts';
import { selectSources } from '../../../src/build/copy/select.ts';
import { SelectionSum } from '../../../src/build/copy/selection-sum.ts';
import { TreeIndex } from '../../../src/build/copy/tree-index.ts';
import type { SourceTree } from '../../../src/build/copy/tree.ts';
import { copyInto } from '../../../src/build/copy/write.ts';
import { digestJob } from '../../../src/build/operations/select.ts';
import { loadSyscalls } from '../../../src/system/index.ts';
import { ScratchTree, type TreeSpec } from '../scratch.ts';
import { rootPrivileges as privileges } from '../../root-privileges.ts';

const root = process.getuid?.() === 0;
const context = (folder: string): SourceTree => ({ root: folder, resetOwner: true, label: 'the build context' });
const stage = (folder: string): SourceTree => ({ root: folder, resetOwner: false, label: 'a stage' });

function digestOf(tree: SourceTree, patterns: readonly string[] = ['.']): string {
  return digestSelection(patterns.flatMap((pattern) => selectSources(tree, pattern, { parents: false })));
}

/** The tree with a digest for both ways that it can be taken. */
function digests(change: (folder: string) => void, spec: TreeSpec = { a: 'x', 'd/b': 'y' }) {
  using from = new ScratchTree(spec);
  change(from.root);
  return { context: digestOf(context(from.root)), stage: digestOf(stage(from.root)) };
}

/** What COPY of all of a tree leaves, as `path nlink mode`. */
function copied(tree: SourceTree): string[] {
  using into = new ScratchTree();
  copyInto(selectSources(tree, '.', { parents: false }), {
    root: into.root,
    destination: '/',
    followLinks: true,
    privileges,
  });
  const found = execFileSync('find', ['.', '-mindepth', '1', '-printf', '%P %n %m %y\n'], { cwd: into.root });
  return found.toString('utf8').trim().split('\n').sort();
}

describe('the digest of a context', () => {
  const nothing = digests(() => undefined);

  it('does not tell hard links from copies, which make the same layer', () => {
    const linked = digests((folder) => linkSync(join(folder, 'a'), join(folder, 'c')));
    const same = digests((folder) => execFileSync('cp', ['-p', join(folder, 'a'), join(folder, 'c')]));
    expect(linked.context).toBe(same.context);
  });

  it('tells which files of a stage are one inode, for their layer does', () => {
    const spec: TreeSpec = { a: 'x', b: 'x', c: 'x' };
    const links: readonly (readonly [string, string])[] = [
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'c'],
    ];
    const all = links.map(([from, to]) =>
      digests((folder) => execFileSync('ln', ['-f', from, to], { cwd: folder }), spec),
    );
    const apart = digests(() => undefined, spec);
    expect(new Set([...all, apart].map(({ stage: digest }) => digest)).size).toBe(4);
    expect(new Set([...all, apart].map(({ context: digest }) => digest)).size).toBe(1);
  });

  it('does not count names of an inode that are not selected', () => {
    using from = new ScratchTree({ 'a/f': 'x', 'b/g': 'y' });
    const before = digestOf(stage(from.root), ['a']);
    linkSync(join(from.root, 'a/f'), join(from.root, 'b/f'));
    expect(digestOf(stage(from.root), ['a'])).toBe(before);
  });

  it('does not count sockets, which no layer holds', async () => {
    using from = new ScratchTree({ a: 'x', 'd/b': 'y' });
    const server = createServer().listen(join(from.root, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    const found = digestOf(context(from.root));
    server.close();
    expect(found).toBe(nothing.context);
  });

  it('counts pipes, which layers hold', () => {
    const pipe = digests((folder) => execFileSync('mkfifo', [join(folder, 'p')]));
    expect(pipe.context).not.toBe(nothing.context);
  });

  it('reads holes as the zeros that they stand for', () => {
    const sparse = digests((folder) => truncateSync(join(folder, 'a'), 3 << 20));
    const full = digests((folder) =>
      writeFileSync(join(folder, 'a'), Buffer.concat([Buffer.from('x'), Buffer.alloc((3 << 20) - 1)])),
    );
    expect(sparse.context).toBe(full.context);
  });

  it('does not depend on user attributes, which layers do not carry', () => {
    const marked = digests((folder) => loadSyscalls().setXattr(join(folder, 'a'), 'user.note', Buffer.from('x')));
    expect(marked).toEqual({ context: nothing.context, stage: expect.any(String) });
  });
});

describe('--context-modes=git', () => {
  const umask077 = (folder: string): void => {
    chmodSync(join(folder, 'a'), 0o600);
    chmodSync(join(folder, 'd'), 0o700);
    chmodSync(join(folder, 'd/b'), 0o700);
  };
  const umask002 = (folder: string): void => {
    chmodSync(join(folder, 'a'), 0o664);
    chmodSync(join(folder, 'd'), 0o775);
    chmodSync(join(folder, 'd/b'), 0o775);
  };
  const found = ([change, modes]: readonly [(folder: string) => void, 'git' | undefined]): string => {
    using from = new ScratchTree({ a: 'x', 'd/b': 'y' });
    change(from.root);
    return digestOf({ ...context(from.root), modes });
  };

  it('takes clones under any umask alike, and tells them apart without', () => {
    expect(found([umask077, 'git'])).toBe(found([umask002, 'git']));
    expect(found([umask077, undefined])).not.toBe(found([umask002, undefined]));
  });

  (root ? it : it.skip)('copies what the digest says', () => {
    using from = new ScratchTree({ a: 'x', 'd/b': 'y|4711', l: '-> a' });
    umask077(from.root);
    expect(copied({ ...context(from.root), modes: 'git' })).toEqual([
      'a 1 644 f',
      'd 2 755 d',
      'd/b 1 755 f',
      'l 1 777 l',
    ]);
  });
});

(root ? describe : describe.skip)('what COPY makes of hard links (needs root to set owners)', () => {
  it('is one file each for a context, and links for a stage', () => {
    using from = new ScratchTree({ a: 'x' });
    linkSync(join(from.root, 'a'), join(from.root, 'b'));
    expect(copied(context(from.root))).toEqual(['a 1 644 f', 'b 1 644 f']);
    expect(copied(stage(from.root))).toEqual(['a 2 644 f', 'b 2 644 f']);
  });
});

describe('TreeIndex', () => {
  it('shows every step what the first one saw', () => {
    using from = new ScratchTree({ 'd/a': 'x' });
    using index = new TreeIndex(from.root, undefined);
    const tree = { ...context(from.root), index };
    const first = digestOf(tree);
    writeFileSync(join(from.root, 'd/a'), 'changed');
    writeFileSync(join(from.root, 'd/new'), 'new');
    expect([digestOf(tree), digestOf(context(from.root)) === first]).toEqual([first, false]);
  });

  it('sees the same as who looks for himself, however deep', () => {
    using from = new ScratchTree({ 'a/b/c/d': '1', 'a/e': '2', 'a/b/f': '3', g: '4', 'a/l': '-> b' });
    using index = new TreeIndex(from.root, undefined);
    for (const pattern of ['.', 'a', 'a/b', 'a/b/c/d', 'a/*', 'a/l/c', '*']) {
      expect(digestOf({ ...context(from.root), index }, [pattern])).toBe(digestOf(context(from.root), [pattern]));
    }
  });
});

describe('digest jobs', () => {
  it('go by what their build saw first, and look again for another one', () => {
    using from = new ScratchTree({ f: 'old' });
    const directory = { kind: 'directory', path: from.root, readOnly: true } as const;
    const tree = { root: directory, resetOwner: true, label: 'the build context' };
    const selection = {
      sources: [{ kind: 'tree', tree, pattern: '.' } as const],
      parents: false,
      exclude: [],
    };
    const digest = (build?: string) => digestJob({ kind: 'digest', selection, scratch: '', build });
    const before = digest('a');
    writeFileSync(join(from.root, 'f'), 'new');
    const after = digest();
    expect([digest('a'), digest('b'), digest('a')]).toEqual([before, after, before]);
    for (const other of ['c', 'd', 'e']) digest(other);
    expect([after === before, digest('a')]).toEqual([false, after]); // forgotten long since
  });
});

(root ? describe : describe.skip)('SelectionSum while copying (needs root to set owners)', () => {
  it('tells what was copied, not what was there when the digest was made', () => {
    using from = new ScratchTree({ a: 'old', b: 'same' });
    using into = new ScratchTree();
    const sources = selectSources(context(from.root), '.', { parents: false });
    const before = digestSelection(sources);
    writeFileSync(join(from.root, 'a'), 'new');
    chmodSync(join(from.root, 'a'), 0o755);
    mkdirSync(join(from.root, 'made'));
    const sum = new SelectionSum();
    copyInto(sources, { root: into.root, destination: '/', followLinks: true, privileges, sum });
    expect(sum.digest(sources)).not.toBe(before);
    expect(sum.digest(sources)).toBe(digestSelection(sources));
    expect(into.list()).toEqual(['f755 a new', 'f644 b same', 'd755 made']);
  });
});

/** All trees of up to two files, links and folders under these names: 400 of them, many alike in one way and not in another. */
function smallTrees(): TreeSpec[] {
  const things = [undefined, '1', '2', '1|755', '-> b', null];
  const at = <T>(list: readonly T[], index: number): T => list[index] as T;
  return Array.from({ length: 400 }, (_, seed) => {
    const names = [at(['a', 'b'], seed % 2), at(['d/a', 'd/b', 'd', 'c'], (seed >> 1) % 4)];
    const values = [at(things, Math.floor(seed / 8) % 6), at(things, Math.floor(seed / 48) % 6)];
    const entries = names.flatMap((name, index) => {
      const value = values[index];
      return value === undefined ? [] : [[name, value] as const];
    });
    return Object.fromEntries(entries);
  });
}

(root ? it : it.skip)('digests are equal exactly where copies are (needs root to set owners)', () => {
  const byDigest = new Map<string, string>();
  const byCopy = new Map<string, string>();
  for (const spec of smallTrees()) {
    using from = new ScratchTree(spec);
    using into = new ScratchTree();
    const sources = selectSources(context(from.root), '.', { parents: false });
    const digest = digestSelection(sources);
    copyInto(sources, { root: into.root, destination: '/', followLinks: true, privileges });
    const copy = into.list().join('\n');
    expect([byDigest.get(digest) ?? copy, byCopy.get(copy) ?? digest]).toEqual([copy, digest]);
    byDigest.set(digest, copy);
    byCopy.set(copy, digest);
  }
  expect(byDigest.size).toBeGreaterThan(50);
});

describe('the digest of what a mount shows', () => {
  it.each([
    ['covers the folder of a snapshot itself', false, true],
    ['does not cover the folder of a context, of which a copy is shown', true, false],
  ])('%s', (_, resetOwner, covers) => {
    using place = new ScratchTree({ 'd/a': 'x' });
    const tree = { root: { kind: 'directory', path: place.root, readOnly: true }, resetOwner, label: 'it' } as const;
    const ways = () =>
      [true, false].map((shown) => {
        const sources = [{ kind: 'tree', tree, pattern: '/d' } as const];
        return digestJob({ kind: 'digest', selection: { sources, parents: false, exclude: [], shown }, scratch: '' });
      });
    chmodSync(join(place.root, 'd'), 0o755);
    const before = ways();
    chmodSync(join(place.root, 'd'), 0o700);
    expect(ways().map((digest, at) => digest !== before[at])).toEqual([covers, false]);
  });
});

describe('the digest of what was fetched', () => {
  it('is not that of a file of the context, which ADD would unpack', () => {
    using place = new ScratchTree({ 'f.tar': 'x' });
    const root = { kind: 'directory', path: place.root, readOnly: true } as const;
    const tree = { root, resetOwner: true, label: 'the build context' };
    const digests = [
      { kind: 'tree', tree, pattern: '/f*.tar' } as const,
      { kind: 'file', folder: place.root, name: 'f.tar' } as const,
    ].map((source) =>
      digestJob({ kind: 'digest', selection: { sources: [source], parents: false, exclude: [] }, scratch: '' }),
    );
    expect(digests[0]).not.toBe(digests[1]);
  });
});
