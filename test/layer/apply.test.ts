import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type ApplyOptions, applyLayer } from '../../src/layer/index.ts';
import { loadSyscalls, type Privileges } from '../../src/system/index.ts';
import { isRoot, listTree, rootPrivileges, scratch } from './scratch.ts';
import { dir, file, hardlink, pax, type RawHeader, symlink, tar } from './tar-builder.ts';

const suite = isRoot ? describe : describe.skip;

interface Stack extends Disposable {
  /** Folders, uppermost first. */
  readonly lowers: string[];
  /** Applies one more layer on top and gives its own folder's lines. */
  add(layer: readonly (RawHeader | Buffer)[], options?: Partial<ApplyOptions>): Promise<string[]>;
  readonly warnings: string[];
}

/** Layers in overlay form, each applied with those below it as lowers. */
function stack(): Stack {
  const place = scratch();
  const lowers: string[] = [];
  const warnings: string[] = [];
  return {
    lowers,
    warnings,
    async add(layer, options = {}) {
      const folder = place.folder(`layer${lowers.length}`);
      const applied = await applyLayer([tar(...layer)], folder, {
        privileges: rootPrivileges,
        whiteouts: 'overlay',
        lowers: [...lowers],
        ...options,
      });
      warnings.push(...applied.warnings);
      lowers.unshift(folder);
      return listTree(folder);
    },
    [Symbol.dispose]: () => place[Symbol.dispose](),
  };
}

const opaque = (folder: string): string | undefined =>
  loadSyscalls().getXattr(folder, 'trusted.overlay.opaque')?.toString();

suite('layers over layers, in overlay form (skipped without root)', () => {
  it('an implied parent looks as the layer below has it', async () => {
    using layers = stack();
    await layers.add([dir('lib', { mode: 0o700, uid: 7, gid: 8, mtime: 1000 })]);
    expect(await layers.add([file('lib/x')])).toEqual(['lib 700 7:8 dir', 'lib/x 644 0:0 file "x"1']);
    expect(fs.statSync(path.join(layers.lowers[0] ?? '', 'lib')).mtimeMs).toBe(1_000_000);
  });

  it('an implied parent that is a link below is followed', async () => {
    using layers = stack();
    await layers.add([dir('usr'), dir('usr/lib', { mode: 0o711 }), symlink('lib', 'usr/lib')]);
    expect(await layers.add([file('lib/x')])).toEqual([
      'usr 755 0:0 dir',
      'usr/lib 711 0:0 dir',
      'usr/lib/x 644 0:0 file "x"1',
    ]);
  });

  it('an implied parent that is nowhere is 0755 root', async () => {
    using layers = stack();
    await layers.add([file('other')]);
    expect(await layers.add([file('a/b/x')])).toEqual(['a 755 0:0 dir', 'a/b 755 0:0 dir', 'a/b/x 644 0:0 file "x"1']);
  });

  it('an implied parent is looked for in the uppermost of 127 layers that has it', async () => {
    using layers = stack();
    await layers.add([dir('deep', { mode: 0o701 })]);
    for (let i = 0; i < 126; i++) await layers.add([file(`f${i}`)]);
    expect(layers.lowers).toHaveLength(127);
    expect(await layers.add([file('deep/x')])).toEqual(['deep 701 0:0 dir', 'deep/x 644 0:0 file "x"1']);
  });

  it('a whiteout in between hides what lies further down', async () => {
    using layers = stack();
    await layers.add([dir('d', { mode: 0o700 }), file('d/old')]);
    await layers.add([file('.wh.d', '')]);
    expect(await layers.add([file('d/x')])).toEqual(['d 755 0:0 dir', 'd/x 644 0:0 file "x"1']);
  });

  it('a whiteout becomes a device 0:0', async () => {
    using layers = stack();
    await layers.add([file('f')]);
    expect(await layers.add([file('.wh.f', '')])).toEqual(['f 0 0:0 special 0']);
  });

  it('a whiteout below a folder that is nowhere does nothing', async () => {
    using layers = stack();
    await layers.add([file('f')]);
    expect(await layers.add([file('no/where/.wh.f', '')])).toEqual([]);
  });

  const recreations: readonly [string, readonly (RawHeader | Buffer)[]][] = [
    ['deleted, then made', [file('.wh.d', ''), dir('d'), file('d/new')]],
    ['made, then deleted below', [dir('d'), file('d/new'), file('.wh.d', '')]],
    ['deleted, then implied', [file('.wh.d', ''), file('d/new')]],
    ['marked opaque before', [file('d/.wh..wh..opq', ''), file('d/new')]],
    ['marked opaque after', [dir('d'), file('d/new'), file('d/.wh..wh..opq', '')]],
    ['made a file and a folder again', [file('d'), dir('d'), file('d/new')]],
  ];
  it.each(recreations)('a folder %s is opaque', async (_how, layer) => {
    using layers = stack();
    await layers.add([dir('d'), file('d/old')]);
    expect(await layers.add(layer)).toEqual(['d 755 0:0 dir', 'd/new 644 0:0 file "x"1']);
    expect(opaque(path.join(layers.lowers[0] ?? '', 'd'))).toBe('y');
  });

  it('an opaque root deletes each thing below', async () => {
    using layers = stack();
    await layers.add([dir('d'), file('d/old'), file('f')]);
    expect(await layers.add([file('.wh..wh..opq', ''), dir('d')])).toEqual(['d 755 0:0 dir', 'f 0 0:0 special 0']);
    expect(opaque(path.join(layers.lowers[0] ?? '', 'd'))).toBe('y');
  });

  it('a hard link to a file of a lower layer is a link to a copy, with a warning', async () => {
    using layers = stack();
    await layers.add([dir('a', { mode: 0o711 }), file('a/f', 'low', { mode: 0o4750, uid: 5, gid: 6 })]);
    expect(await layers.add([hardlink('h', 'a/f')])).toEqual([
      'a 711 0:0 dir',
      'a/f 4750 5:6 file "low"3',
      'h 4750 5:6 same as a/f',
    ]);
    expect(fs.statSync(path.join(layers.lowers[1] ?? '', 'a/f')).nlink).toBe(1);
    expect(layers.warnings).toEqual(['"h" is a hard link to a file of a lower layer, which was copied']);
  });

  it('a hard link to a deleted file fails', async () => {
    using layers = stack();
    await layers.add([file('f')]);
    await expect(layers.add([file('.wh.f', ''), hardlink('h', 'f')])).rejects.toMatchObject({
      code: 'LINK_TARGET_MISSING',
    });
  });

  it('the root takes the metadata of the one below, or of its entry', async () => {
    using layers = stack();
    await layers.add([dir('./', { mode: 0o750, uid: 3, gid: 4, mtime: 5000 })]);
    await layers.add([file('f')]);
    const [upper, lower] = layers.lowers.map((folder) => fs.statSync(folder));
    expect([upper?.mode, upper?.uid, upper?.mtimeMs]).toEqual([lower?.mode, 3, 5_000_000]);
  });
});

suite('layers into one tree (skipped without root)', () => {
  const apply = async (root: string, ...layer: (RawHeader | Buffer)[]): Promise<string[]> => {
    await applyLayer([tar(...layer)], root, { privileges: rootPrivileges, whiteouts: 'delete' });
    return listTree(root);
  };

  it('whiteouts delete what was there, and never what this layer has', async () => {
    using place = scratch();
    const root = place.folder('root');
    await apply(root, dir('d'), file('d/old'), file('f'), file('g'));
    const after = await apply(
      root,
      dir('d'),
      file('d/new'),
      file('.wh.d', ''),
      file('.wh.f', ''),
      file('g', 'new'),
      file('.wh.g', ''),
    );
    expect(after).toEqual(['d 755 0:0 dir', 'd/new 644 0:0 file "x"1', 'g 644 0:0 file "new"3']);
  });

  it('an opaque mark empties a folder of what was there', async () => {
    using place = scratch();
    const root = place.folder('root');
    await apply(root, dir('d', { mode: 0o700 }), dir('d/sub'), file('d/sub/old'), symlink('d/l', '/etc'));
    expect(await apply(root, file('d/new'), file('d/.wh..wh..opq', ''))).toEqual([
      'd 700 0:0 dir',
      'd/new 644 0:0 file "x"1',
    ]);
  });

  it('a deleted link does not take along what it points to', async () => {
    using place = scratch();
    const root = place.folder('root');
    await apply(root, dir('d'), file('d/f'), symlink('l', 'd'));
    expect(await apply(root, file('.wh.l', ''))).toEqual(['d 755 0:0 dir', 'd/f 644 0:0 file "x"1']);
  });

  it('a given owner counts for entries, not for parents without one', async () => {
    using place = scratch();
    const root = place.folder('root');
    const layer = tar(dir('d', { uid: 1 }), file('d/f', 'x', { mode: 0o4755, uid: 2 }), file('e/f'));
    const owner = { uid: 33, gid: 44 };
    await applyLayer([layer], root, { privileges: rootPrivileges, whiteouts: 'literal', owner });
    expect(listTree(root).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'd 755 33:44',
      'd/f 4755 33:44',
      'e 755 0:0',
      'e/f 644 33:44',
    ]);
  });

  it('literal archives may hold any name', async () => {
    using place = scratch();
    const root = place.folder('root');
    await applyLayer([tar(file('.wh.f'), file('.wh..wh..opq'))], root, {
      privileges: rootPrivileges,
      whiteouts: 'literal',
    });
    expect(listTree(root)).toEqual(['.wh..wh..opq 644 0:0 file "x"1', '.wh.f 644 0:0 file "x"1']);
  });

  it('a file without a name is left out of a literal archive, with a word', async () => {
    using place = scratch();
    const root = place.folder('root');
    const options = { privileges: rootPrivileges, whiteouts: 'literal' } as const;
    const { warnings } = await applyLayer([tar(file('', ''), file('f'))], root, options);
    expect(listTree(root)).toEqual(['f 644 0:0 file "x"1']);
    expect(warnings).toEqual([expect.stringContaining('an entry without a name')]);
  });
});

suite('metadata (skipped without root)', () => {
  it('times of folders are those of the layer, whatever was made in them later', async () => {
    using place = scratch();
    const root = place.folder('root');
    const layer = tar(
      dir('a', { mtime: 100 }),
      dir('a/b', { mtime: 200 }),
      file('a/b/f', 'x', { mtime: 300 }),
      symlink('a/l', 'b'),
    );
    await applyLayer([layer], root, { privileges: rootPrivileges, whiteouts: 'overlay' });
    expect(listTree(root, { mtime: true })).toEqual([
      'a 755 0:0 100 dir',
      'a/b 755 0:0 200 dir',
      'a/b/f 644 0:0 300 file "x"1',
      'a/l 777 0:0 1600000000 -> b',
    ]);
  });

  it('fractions of seconds are kept', async () => {
    using place = scratch();
    const root = place.folder('root');
    await applyLayer([tar(pax({ mtime: '1234.123456789' }), file('f'))], root, {
      privileges: rootPrivileges,
      whiteouts: 'overlay',
    });
    expect(fs.statSync(path.join(root, 'f'), { bigint: true }).mtimeNs).toBe(1234_123456789n);
  });

  it('only harmless attributes are set', async () => {
    using place = scratch();
    const root = place.folder('root');
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    const names = [
      'user.a',
      'trusted.overlay.redirect',
      'trusted.b',
      'security.selinux',
      'user.slipway.owner',
      'system.foo',
    ];
    const records = Object.fromEntries(names.map((name) => [`SCHILY.xattr.${name}`, 'v']));
    const layer = tar(
      pax({ ...records, 'SCHILY.xattr.security.capability': capability }),
      file('f', 'x', { uid: 12, mode: 0o755 }),
    );
    await applyLayer([layer], root, { privileges: rootPrivileges, whiteouts: 'overlay' });
    const syscalls = loadSyscalls();
    const kept = syscalls.listXattrs(path.join(root, 'f')).filter((name) => name !== 'security.selinux');
    expect(kept.toSorted()).toEqual(['security.capability', 'trusted.b', 'user.a']);
    expect(syscalls.getXattr(path.join(root, 'f'), 'security.capability')).toEqual(capability);
  });

  it('with a single id owners are recorded beside the file', async () => {
    using place = scratch();
    const root = place.folder('root');
    const single: Privileges = {
      ...rootPrivileges,
      kind: 'single',
      overlayXattrPrefix: 'user.overlay.',
      mayMknod: false,
    };
    const layer = tar(dir('d', { uid: 5, gid: 6 }), file('d/f', 'x', { uid: 33, gid: 44 }), file('r'));
    await applyLayer([layer], root, { privileges: single, whiteouts: 'overlay' });
    const owner = (name: string): string | undefined =>
      loadSyscalls().getXattr(path.join(root, name), 'user.slipway.owner')?.toString();
    expect([owner('d'), owner('d/f'), owner('r')]).toEqual(['5:6', '33:44', undefined]);
    expect(listTree(root)).toEqual(['d 755 0:0 dir', 'd/f 644 0:0 file "x"1', 'r 644 0:0 file "x"1']);
  });

  it('GNU tar unpacks the same tree', async () => {
    using place = scratch();
    const source = place.folder('source/a/b');
    fs.writeFileSync(path.join(source, 'f'), 'content', { mode: 0o640 });
    fs.symlinkSync('f', path.join(source, 'l'));
    fs.linkSync(path.join(source, 'f'), path.join(source, 'h'));
    fs.truncateSync(path.join(source, 'f'), 3 << 20);
    fs.chownSync(path.join(source, 'f'), 70_000, 3_000_000);
    const tree = path.join(place.path, 'source');
    for (const format of ['gnu', 'posix']) {
      const archive = execFileSync('tar', ['-cS', `--format=${format}`, '-C', tree, '.']);
      const root = place.folder(format);
      await applyLayer([archive], root, { privileges: rootPrivileges, whiteouts: 'overlay' });
      expect(listTree(root, { mtime: true })).toEqual(listTree(tree, { mtime: true }));
    }
  });
});
