import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  applyLayer,
  type DiffOptions,
  type DraftLayer,
  diffLayer,
  diffTree,
  listEntries,
  recordStats,
} from '../../src/layer/index.ts';
import { loadSyscalls } from '../../src/system/index.ts';
import { deriveTar } from './derive-tar.ts';
import { isRoot, listTree, rootPrivileges, scratch } from './scratch.ts';

const suite = isRoot ? describe : describe.skip;
const privileges = rootPrivileges;

async function entriesOf(bytes: Iterable<Uint8Array>): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of listEntries(bytes)) {
    const link = entry.linkName === undefined ? '' : ` ${entry.linkName.toString('latin1')}`;
    names.push(`${entry.type} ${entry.name.toString('latin1')}${link}`);
  }
  return names;
}

interface Made extends DraftLayer {
  readonly tar: Buffer;
}

/** Diffs, and derives the tar at once. */
function make(upper: string, lowers: readonly string[], more: Partial<DiffOptions> = {}): Made {
  const headerList = `${upper}.headers`;
  const draft = diffLayer(upper, { privileges, lowers, headerList, ...more });
  return { ...draft, tar: Buffer.concat([...deriveTar(headerList, upper)]) };
}

/** Mounts an overlay, lets `change` work in it, and returns the upper folder. */
function overlay(lower: string, place: { folder(name: string): string }, change: (merged: string) => void): string {
  const [upper, work, merged] = ['upper', 'work', 'merged'].map((name) => place.folder(name)) as [
    string,
    string,
    string,
  ];
  const data = `lowerdir=${lower},upperdir=${upper},workdir=${work},redirect_dir=off,metacopy=off,index=off`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', data, merged]);
  try {
    change(merged);
  } finally {
    execFileSync('umount', [merged]);
  }
  return upper;
}

function sampleTree(root: string): void {
  fs.mkdirSync(path.join(root, 'keep'));
  fs.writeFileSync(path.join(root, 'keep/file'), 'same');
  fs.mkdirSync(path.join(root, 'dir/sub'), { recursive: true });
  fs.writeFileSync(path.join(root, 'dir/a'), 'a');
  fs.writeFileSync(path.join(root, 'dir/sub/b'), 'b');
  fs.writeFileSync(path.join(root, 'gone'), 'x');
  fs.writeFileSync(path.join(root, 'becomes-dir'), 'x');
  execFileSync('find', [root, '-exec', 'touch', '-h', '-d', '@1500000000', '{}', '+']);
}

type Change = readonly [what: string, change: (root: string) => void, entries: readonly string[]];

const changes: readonly Change[] = [
  ['nothing', () => {}, []],
  [
    'a new file brings its parents',
    (root) => fs.writeFileSync(`${root}/dir/sub/new`, 'n'),
    ['directory dir', 'directory dir/sub', 'file dir/sub/new'],
  ],
  ['a deleted file', (root) => fs.unlinkSync(`${root}/gone`), ['file .wh.gone']],
  ['a deleted folder', (root) => fs.rmSync(`${root}/dir`, { recursive: true }), ['file .wh.dir']],
  [
    'a file made and deleted leaves nothing',
    (root) => (fs.writeFileSync(`${root}/keep/t`, ''), fs.unlinkSync(`${root}/keep/t`)),
    [],
  ],
  ['a folder whose time alone changed is no change', (root) => fs.utimesSync(`${root}/keep`, 7, 7), []],
  ['a folder whose mode changed', (root) => fs.chmodSync(`${root}/keep`, 0o700), ['directory keep']],
  [
    'a file written again with the same content and time',
    (root) => (fs.writeFileSync(`${root}/keep/file`, 'same'), fs.utimesSync(`${root}/keep/file`, 1.5e9, 1.5e9)),
    [],
  ],
  [
    'a file of the same size and time but other content',
    (root) => (fs.writeFileSync(`${root}/keep/file`, 'SAME'), fs.utimesSync(`${root}/keep/file`, 1.5e9, 1.5e9)),
    ['directory keep', 'file keep/file'],
  ],
  [
    'a file with another owner',
    (root) => fs.chownSync(`${root}/keep/file`, 5, 5),
    ['directory keep', 'file keep/file'],
  ],
  [
    'a folder made anew has explicit whiteouts',
    (root) => (
      fs.rmSync(`${root}/dir`, { recursive: true }),
      fs.mkdirSync(`${root}/dir/sub`, { recursive: true }),
      fs.writeFileSync(`${root}/dir/sub/c`, 'c')
    ),
    ['directory dir', 'file dir/.wh.a', 'directory dir/sub', 'file dir/sub/.wh.b', 'file dir/sub/c'],
  ],
  [
    'a folder in place of a file needs no whiteout',
    (root) => (fs.unlinkSync(`${root}/becomes-dir`), fs.mkdirSync(`${root}/becomes-dir`)),
    ['directory becomes-dir'],
  ],
  [
    'a file in place of a folder needs no whiteout',
    (root) => (fs.rmSync(`${root}/dir`, { recursive: true }), fs.writeFileSync(`${root}/dir`, 'f')),
    ['file dir'],
  ],
  [
    'hard links: the first name in order is the file',
    (root) => (fs.writeFileSync(`${root}/z`, 'z'), fs.linkSync(`${root}/z`, `${root}/y`)),
    ['file y', 'hardlink z y'],
  ],
  [
    'sockets are left out, FIFOs are not',
    (root) =>
      execFileSync('python3', [
        '-c',
        'import socket,os,sys; r=sys.argv[1]; socket.socket(socket.AF_UNIX).bind(r+"/s"); os.mkfifo(r+"/p")',
        root,
      ]),
    ['fifo p'],
  ],
  [
    'names sort by bytes, not by language',
    (root) => ['b', 'B', 'a', 'ä', '_'].forEach((name) => fs.writeFileSync(`${root}/${name}`, '')),
    ['file B', 'file _', 'file a', 'file b', 'file \xc3\xa4'],
  ],
];

suite('what a step changed (skipped without root)', () => {
  it.each(changes)('overlay: %s', async (_what, change, entries) => {
    using place = scratch();
    const lower = place.folder('lower');
    sampleTree(lower);
    const layer = make(overlay(lower, place, change), [lower]);
    expect(await entriesOf([layer.tar])).toEqual(entries);
  });

  it.each(changes)('copied tree: %s, with the same bytes as from overlay', async (_what, change, entries) => {
    using place = scratch();
    const lower = place.folder('lower');
    sampleTree(lower);
    const tree = path.join(place.path, 'tree');
    execFileSync('cp', ['-a', lower, tree]);
    recordStats(tree, `${tree}.stats`);
    change(tree);
    const draft = diffTree(tree, `${tree}.stats`, {
      privileges,
      lowers: [lower],
      headerList: `${tree}.headers`,
      clampTo: 1_500_000_000,
    });
    const tar = Buffer.concat([...deriveTar(`${tree}.headers`, tree)]);
    expect(await entriesOf([tar])).toEqual(entries);
    const over = make(overlay(lower, place, change), [lower], { clampTo: 1_500_000_000 });
    expect(draft.diffId).toBe(over.diffId);
  });

  it('a whiteout has mode 0, no time and no owner', async () => {
    using place = scratch();
    const lower = place.folder('lower');
    sampleTree(lower);
    const { tar } = make(
      overlay(lower, place, (root) => fs.unlinkSync(`${root}/gone`)),
      [lower],
    );
    for await (const entry of listEntries([tar]))
      expect(entry).toMatchObject({ mode: 0, uid: 0, gid: 0, size: 0, mtimeNs: 0n });
  });

  it('later times are brought down to the given one, earlier ones stay', async () => {
    using place = scratch();
    const upper = place.folder('upper');
    for (const [name, time] of [
      ['new', 2000],
      ['old', 500],
    ] as const) {
      fs.writeFileSync(path.join(upper, name), '');
      fs.utimesSync(path.join(upper, name), time, time);
    }
    const times: bigint[] = [];
    for await (const entry of listEntries([make(upper, [], { clampTo: 1000 }).tar]))
      times.push(entry.mtimeNs / 1_000_000_000n);
    expect(times).toEqual([1000n, 500n]);
  });

  it('capabilities are in the layer, other attributes are not', async () => {
    using place = scratch();
    const upper = place.folder('upper');
    fs.writeFileSync(path.join(upper, 'f'), '');
    const syscalls = loadSyscalls();
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    syscalls.setXattr(path.join(upper, 'f'), 'security.capability', capability);
    syscalls.setXattr(path.join(upper, 'f'), 'user.note', Buffer.from('n'));
    for await (const entry of listEntries([make(upper, []).tar])) {
      expect([...(entry.xattrs ?? [])]).toEqual([['security.capability', capability]]);
    }
  });

  it('with a single id the recorded owner is in the layer', async () => {
    using place = scratch();
    const upper = place.folder('upper');
    fs.writeFileSync(path.join(upper, 'f'), '');
    loadSyscalls().setXattr(path.join(upper, 'f'), 'user.slipway.owner', Buffer.from('33:44'));
    const layer = make(upper, [], {
      privileges: { ...privileges, kind: 'single', overlayXattrPrefix: 'user.overlay.' },
    });
    for await (const entry of listEntries([layer.tar])) expect([entry.uid, entry.gid]).toEqual([33, 44]);
  });

  it('GNU tar lists the layer', () => {
    using place = scratch();
    const upper = place.folder('upper');
    const long = 'long-name-'.repeat(12);
    fs.mkdirSync(path.join(upper, 'd'));
    fs.writeFileSync(path.join(upper, 'd', long), 'x');
    fs.writeFileSync(path.join(upper, 'ümlaut'), 'x');
    fs.symlinkSync('t'.repeat(150), path.join(upper, 'l'));
    const listed = execFileSync('tar', ['-t', '--quoting-style=literal'], {
      input: make(upper, []).tar,
      encoding: 'utf8',
    });
    expect(listed.split('\n')).toEqual(['d/', `d/${long}`, 'l', 'ümlaut', '']);
  });
});

suite('header lists (skipped without root)', () => {
  it('the diffID is that of the derived bytes, which end in two zero blocks', () => {
    using place = scratch();
    const upper = place.folder('upper');
    fs.writeFileSync(path.join(upper, 'f'), Buffer.alloc(100_000, 'abc'));
    const layer = make(upper, []);
    expect(layer.tar).toHaveLength(layer.size);
    expect(layer.tar.subarray(-1024)).toEqual(Buffer.alloc(1024));
  });

  const tamper: readonly (readonly [string, (file: string) => void])[] = [
    ['shrank', (file) => fs.truncateSync(file, 3)],
    ['grew', (file) => fs.appendFileSync(file, 'x')],
    ['has other bytes', (file) => fs.writeFileSync(file, 'CONTENT')],
    ['is gone', (file) => fs.unlinkSync(file)],
    ['became a link', (file) => (fs.unlinkSync(file), fs.symlinkSync('/etc/passwd', file))],
  ];
  it.each(tamper)('a file that %s is noticed', (_what, change) => {
    using place = scratch();
    const upper = place.folder('upper');
    const changed = path.join(upper, 'f');
    fs.writeFileSync(changed, 'content');
    diffLayer(upper, { privileges, lowers: [], headerList: `${upper}.headers` });
    change(changed);
    expect(() => [...deriveTar(`${upper}.headers`, upper)]).toThrow(
      expect.objectContaining({ code: 'CONTENT_CHANGED' }),
    );
  });

  it.each([
    ['cut', 60],
    ['empty', 0],
  ])('a list that is %s is refused', (_what, length) => {
    using place = scratch();
    const upper = place.folder('upper');
    fs.writeFileSync(path.join(upper, 'f'), 'content');
    diffLayer(upper, { privileges, lowers: [], headerList: `${upper}.headers` });
    fs.truncateSync(`${upper}.headers`, length);
    expect(() => [...deriveTar(`${upper}.headers`, upper)]).toThrow(
      expect.objectContaining({ code: 'INVALID_HEADER_LIST' }),
    );
  });
});

/** A random tree, as a list of things to make in any order of their own. */
const name = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'Z', '.x'),
  fc
    .string({ minLength: 1, maxLength: 6 })
    .filter((text) => !text.includes('/') && !text.includes('\0') && !/^\.{1,2}$|^\.wh\./.test(text)),
);
const node = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 4 }),
  kind: fc.constantFrom('file', 'dir', 'link', 'fifo') as fc.Arbitrary<'file' | 'dir' | 'link' | 'fifo'>,
  content: fc.uint8Array({ maxLength: 2000 }),
  mode: fc.constantFrom(0o644, 0o755, 0o4755, 0o2750, 0o1777, 0o400),
  owner: fc.constantFrom(0, 1, 1000, 3_000_000),
  time: fc.integer({ min: 0, max: 2 ** 33 }),
});
type Node = typeof node extends fc.Arbitrary<infer T> ? T : never;

/** Makes what can be made; a thing in the way of another wins by coming first. */
function plant(root: string, nodes: readonly Node[]): void {
  const made: [string, Node][] = [];
  for (const one of nodes) {
    const target = path.join(root, ...one.path);
    try {
      fs.mkdirSync(path.dirname(target), { recursive: true });
      if (fs.realpathSync(path.dirname(target)) !== path.dirname(target)) continue; // through a link
      if (one.kind === 'file') fs.writeFileSync(target, one.content, { flag: 'wx' });
      else if (one.kind === 'dir') fs.mkdirSync(target);
      else if (one.kind === 'link')
        fs.symlinkSync(Buffer.from(one.content.filter((byte) => byte > 0).slice(0, 50)).toString('hex') || 'x', target);
      else loadSyscalls().mknod(target, 0o010644, 0, 0);
      made.push([target, one]);
    } catch {} // in the way of something
  }
  for (const [target, one] of made) {
    fs.lchownSync(target, one.owner, one.owner);
    if (one.kind !== 'link') fs.chmodSync(target, one.mode);
  }
  const folders = fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => path.join(entry.parentPath, entry.name));
  for (const folder of folders.toSorted().toReversed()) fs.lutimesSync(folder, 1.6e9, 1.6e9);
  for (const [target, one] of made.toReversed()) fs.lutimesSync(target, one.time, one.time);
}

suite('laws (skipped without root)', () => {
  it('diff, then apply, gives the same tree', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(node, { maxLength: 15 }), async (nodes) => {
        using place = scratch();
        const [source, copy] = [place.folder('source'), place.folder('copy')];
        plant(source, nodes);
        const layer = make(source, []);
        const applied = await applyLayer([layer.tar], copy, { privileges, whiteouts: 'overlay' });
        expect([applied.diffId, applied.size, applied.entries]).toEqual([layer.diffId, layer.size, layer.entries]);
        expect(listTree(copy, { mtime: true })).toEqual(listTree(source, { mtime: true }));
      }),
      { numRuns: 40 },
    );
  });

  it('a changed tree is what its layer makes of the old one, and the order of making does not show', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(node, { maxLength: 12 }), fc.array(node, { maxLength: 12 }), async (before, after) => {
        using place = scratch();
        const [lower, tree, copy] = [place.folder('lower'), place.folder('tree'), place.folder('copy')];
        plant(lower, before);
        plant(tree, after);
        recordStats(place.folder('nothing'), `${tree}.stats`);
        const draft = diffTree(tree, `${tree}.stats`, { privileges, lowers: [lower], headerList: `${tree}.headers` });
        execFileSync('cp', ['-a', `${lower}/.`, copy]);
        const applied = await applyLayer(deriveTar(`${tree}.headers`, tree), copy, { privileges, whiteouts: 'delete' });
        expect(applied.diffId).toBe(draft.diffId);
        const folders = (line: string): string => line.replace(/ \d+ dir$/, ' dir'); // a folder's time alone is no change
        expect(listTree(copy, { mtime: true }).map(folders)).toEqual(listTree(tree, { mtime: true }).map(folders));
      }),
      { numRuns: 40 },
    );
  });

  it('layers in overlay form, mounted, show the tree that they were made from', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(node, { maxLength: 12 }), fc.array(node, { maxLength: 12 }), async (before, after) => {
        using place = scratch();
        const [first, second, lower, upper, merged] = ['first', 'second', 'lower', 'upper', 'merged'].map((one) =>
          place.folder(one),
        ) as [string, string, string, string, string];
        plant(first, before);
        plant(second, after);
        recordStats(place.folder('nothing'), `${second}.stats`);
        diffTree(second, `${second}.stats`, { privileges, lowers: [first], headerList: `${second}.headers` });
        await applyLayer([make(first, []).tar], lower, { privileges, whiteouts: 'overlay', lowers: [] });
        await applyLayer(deriveTar(`${second}.headers`, second), upper, {
          privileges,
          whiteouts: 'overlay',
          lowers: [lower],
        });
        const data = `lowerdir=${upper}:${lower},redirect_dir=off,metacopy=off,index=off`;
        execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', data, merged]);
        try {
          expect(listTree(merged)).toEqual(listTree(second));
        } finally {
          execFileSync('umount', [merged]);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('equal trees give equal bytes, however they came to be', () => {
    using place = scratch();
    const names = Array.from({ length: 40 }, (_, i) => `n${(i * 7) % 40}`);
    const plantIn = (folder: string, order: readonly string[]): string => {
      const root = place.folder(folder);
      for (const one of order) fs.writeFileSync(path.join(root, one), one);
      fs.linkSync(path.join(root, 'n3'), path.join(root, 'linked'));
      for (const one of [...order, 'linked']) fs.utimesSync(path.join(root, one), 1000, 1000);
      return make(root, []).diffId;
    };
    expect(plantIn('one', names)).toBe(plantIn('two', names.toReversed()));
  });
});
