import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chownSync, lstatSync, mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modeChange } from '../../../src/build/copy/mode.ts';
import { selectSources } from '../../../src/build/copy/select.ts';
import type { SourceTree } from '../../../src/build/copy/tree.ts';
import { copyInto, type Owner } from '../../../src/build/copy/write.ts';
import { workdirJob } from '../../../src/build/operations/workdir.ts';
import { createIgnoreMatcher, parseFileMode } from '../../../src/dockerfile/index.ts';
import { loadSyscalls } from '../../../src/system/index.ts';
import { ScratchTree, type TreeSpec } from '../scratch.ts';
import { rootPrivileges as privileges } from '../../root-privileges.ts';

// Rules of docs/semantics.md that need more than modes and contents to be seen; the plain ones are in copy.test.ts.

const root = process.getuid?.() === 0;
interface Copy {
  readonly from: ScratchTree;
  readonly into: ScratchTree;
  readonly sources: readonly string[];
  readonly to: string;
  readonly stage?: boolean;
  readonly owner?: Owner;
  readonly chmod?: string;
  readonly ignore?: readonly string[];
  readonly exclude?: readonly string[];
  readonly parents?: boolean;
}

/** Copies, and tells what lies below the destination's root as `type mode owner path`. */
function copied({ from, into, stage = false, ...spec }: Copy): string[] {
  const tree: SourceTree = {
    root: from.root,
    resetOwner: !stage,
    label: stage ? 'a stage' : 'the build context',
    ignore: spec.ignore === undefined ? undefined : createIgnoreMatcher(spec.ignore),
  };
  const { parents = false } = spec;
  const sources = spec.sources.flatMap((pattern) => selectSources(tree, pattern, { parents }));
  copyInto(sources, {
    root: into.root,
    destination: spec.to,
    owner: spec.owner,
    mode: spec.chmod === undefined ? undefined : modeChange(parseFileMode(spec.chmod)),
    exclude: spec.exclude === undefined ? undefined : createIgnoreMatcher(spec.exclude),
    followLinks: true,
    privileges,
  });
  return seen(into);
}

function seen(tree: ScratchTree): string[] {
  const lines = execFileSync('find', ['.', '-mindepth', '1', '-printf', '%y %m %U:%G %P\n'], { cwd: tree.root });
  return lines.toString('utf8').split('\n').filter(Boolean).toSorted(byPath);
}

function byPath(a: string, b: string): number {
  const [left = '', right = ''] = [a, b].map((line) => line.split(' ')[3]);
  return left < right ? -1 : 1;
}

function trees<T>(from: TreeSpec, into: TreeSpec, work: (from: ScratchTree, into: ScratchTree) => T): T {
  using source = new ScratchTree(from);
  using target = new ScratchTree(into);
  return work(source, target);
}

const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const capabilityOf = (path: string) => loadSyscalls().getXattr(path, 'security.capability');

(root ? describe : describe.skip)('COPY (needs root to set owners)', () => {
  it('3: an existing destination keeps its owner and mode, existing folders in it take those of the source', () => {
    trees({ 'd/n/f': 'x' }, { x: '|d700', 'x/n': '|d700' }, (from, into) => {
      for (const path of ['x', 'x/n']) chownSync(join(into.root, path), 33, 33);
      expect(copied({ from, into, sources: ['d'], to: '/x' })).toEqual([
        'd 700 33:33 x',
        'd 755 0:0 x/n',
        'f 644 0:0 x/n/f',
      ]);
    });
  });

  it('9: a link that a wildcard finds is followed', () => {
    trees({ 'real/f': 'x', link: '-> real/f' }, {}, (from, into) => {
      expect(copied({ from, into, sources: ['l*'], to: '/d/' })).toEqual(['d 755 0:0 d', 'f 644 0:0 d/link']);
    });
  });

  it('10: created parents get the owner as well', () => {
    trees({ f: 'x' }, {}, (from, into) => {
      expect(copied({ from, into, sources: ['f'], to: '/a/b/', owner: { uid: 7, gid: 8 } })).toEqual([
        'd 755 7:8 a',
        'd 755 7:8 a/b',
        'f 644 7:8 a/b/f',
      ]);
    });
  });

  it('11: a symbolic X is worked out for each file', () => {
    trees({ 'd/program': 'x|700', 'd/text': 'x|600', 'd/n/f': 'x|600' }, {}, (from, into) => {
      expect(copied({ from, into, sources: ['d'], to: '/x', chmod: 'a+rX' })).toEqual([
        'd 755 0:0 x',
        'd 755 0:0 x/n',
        'f 644 0:0 x/n/f',
        'f 755 0:0 x/program',
        'f 644 0:0 x/text',
      ]);
    });
  });

  it('12: the owner is set before the mode, so that setuid and setgid last', () => {
    trees({ f: 'x|6755' }, {}, (from, into) => {
      expect(copied({ from, into, sources: ['f'], to: '/f', owner: { uid: 1, gid: 1 } })).toEqual(['f 6755 1:1 f']);
    });
  });

  it('13: a capability lasts from stage to stage, whoever the file is given to; that of a context does not', () => {
    trees({ f: 'x' }, {}, (from, into) => {
      loadSyscalls().setXattr(join(from.root, 'f'), 'security.capability', capability);
      const owner = { uid: 1, gid: 1 };
      copied({ from, into, sources: ['f'], to: '/stage', stage: true, owner });
      copied({ from, into, sources: ['f'], to: '/context', owner });
      expect(capabilityOf(join(into.root, 'stage'))).toEqual(capabilityOf(join(from.root, 'f')));
      expect(capabilityOf(join(into.root, 'context'))).toBeUndefined();
    });
  });

  it.each([
    ['stage', true],
    ['context', false],
  ])('13: user attributes of a %s are not copied', (_what, stage) => {
    trees({ f: 'x' }, {}, (from, into) => {
      loadSyscalls().setXattr(join(from.root, 'f'), 'user.note', Buffer.from('x'));
      copied({ from, into, sources: ['f'], to: '/f', stage });
      expect(loadSyscalls().listXattrs(join(into.root, 'f'))).not.toContain('user.note');
    });
  });

  it('35: --exclude counts from the source, and ! takes back', () => {
    trees({ 'd/a.md': '1', 'd/b.md': '2', 'd/n/c.md': '3' }, {}, (from, into) => {
      expect(copied({ from, into, sources: ['d'], to: '/x', exclude: ['**/*.md', '!b.md'] })).toEqual([
        'd 755 0:0 x',
        'f 644 0:0 x/b.md',
        'd 755 0:0 x/n',
      ]);
    });
  });

  it('36: --parents with a wildcard that finds nothing makes the destination', () => {
    trees({ f: 'x' }, {}, (from, into) => {
      expect(copied({ from, into, sources: ['n*/g'], to: '/x/', parents: true })).toEqual(['d 755 0:0 x']);
    });
  });

  it('36: --parents of a plain path that is not there is an error', () => {
    trees({ f: 'x' }, {}, (from, into) => {
      expect(() => copied({ from, into, sources: ['nothing'], to: '/x/', parents: true })).toThrow(
        expect.objectContaining({ code: 'SOURCE_NOT_FOUND' }),
      );
    });
  });

  it.each(['.', './', 'a/./'])('B3: --parents %s is the whole folder', (source) => {
    const spec = { 'a/b/f': 'x' };
    trees(spec, {}, (from, into) => {
      const found = copied({ from, into, sources: [source], to: '/p/', parents: true });
      const below = source === 'a/./' ? 'p' : 'p/a';
      expect(found).toContain(`f 644 0:0 ${below}/b/f`);
      expect(found).toContain('d 755 0:0 p');
    });
  });

  it('44: a file with holes is copied whole; devices, pipes and setgid folders stay what they are', () => {
    trees({ 'd/n': '|d2755', 'd/sparse': 'x' }, {}, (from, into) => {
      truncateSync(join(from.root, 'd/sparse'), 1 << 20);
      loadSyscalls().mknod(join(from.root, 'd/null'), 0o020644, 1, 3);
      loadSyscalls().mknod(join(from.root, 'd/pipe'), 0o010644, 0, 0);
      expect(copied({ from, into, sources: ['d'], to: '/x' })).toEqual([
        'd 755 0:0 x',
        'd 2755 0:0 x/n',
        'c 644 0:0 x/null',
        'p 644 0:0 x/pipe',
        'f 644 0:0 x/sparse',
      ]);
      expect(lstatSync(join(into.root, 'x/null')).rdev).toBe(0x103);
      expect(statSync(join(into.root, 'x/sparse')).size).toBe(1 << 20);
    });
  });

  it('a device that overlays take for a deletion is refused', () => {
    trees({ d: null }, {}, (from, into) => {
      loadSyscalls().mknod(join(from.root, 'd/gone'), 0o020600, 0, 0);
      expect(() => copied({ from, into, sources: ['d'], to: '/x' })).toThrow(/cannot copy .*gone: .*0:0/);
    });
  });

  it('B1: what an ignored folder holds is left out, what is taken back below another one is not', () => {
    const spec = { 'dir/a.go': 'a', 'dir/s/d.go': 'd', 'dir/skip/c.go': 'c', 'dir/b.txt': 'b' };
    trees(spec, {}, (from, into) => {
      const ignore = ['*', '!dir/**/*.go', 'dir/skip'];
      expect(copied({ from, into, sources: ['.'], to: '/', ignore })).toEqual([
        'd 755 0:0 dir',
        'f 644 0:0 dir/a.go',
        'd 755 0:0 dir/s',
        'f 644 0:0 dir/s/d.go',
      ]);
    });
  });
});

(root ? describe : describe.skip)('WORKDIR (needs root to set owners)', () => {
  const workdir = (into: ScratchTree, path: string, user: string): void => {
    const scratch = join(into.root, '..');
    const mount = { kind: 'directory', path: into.root, readOnly: false } as const;
    const active = {
      id: 'x',
      parent: undefined,
      root: mount,
      folder: into.root,
      driver: 'copy',
      headerList: '',
    } as const;
    workdirJob(
      { kind: 'workdir', place: { active, scratch }, path, user },
      {
        privileges,
        signal: new AbortController().signal,
        onOutput: () => undefined,
        onLeft: () => undefined,
        checkIn: () => undefined,
      },
    );
  };
  const withUsers = (into: ScratchTree): void => {
    mkdirSync(join(into.root, 'etc'));
    writeFileSync(join(into.root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nme:x:5:6::/:/bin/sh\n');
  };

  it("16: new folders, all of them, belong to the user, by the image's own passwd", () => {
    trees({}, { old: '|d700' }, (_, into) => {
      withUsers(into);
      workdir(into, '/old/a/b', 'me');
      expect(seen(into).filter((line) => line.includes('old'))).toEqual([
        'd 700 0:0 old',
        'd 755 5:6 old/a',
        'd 755 5:6 old/a/b',
      ]);
    });
  });

  it('16: an existing folder stays as it is, whoever the user is', () => {
    trees({}, { old: '|d700' }, (_, into) => {
      withUsers(into);
      workdir(into, '/old', 'nobody-knows');
      expect(seen(into)).toContain('d 700 0:0 old');
      expect(() => workdir(into, '/old/new', 'nobody-knows')).toThrow(
        expect.objectContaining({ code: 'USER_NOT_FOUND' }),
      );
    });
  });
});
