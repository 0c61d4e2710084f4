import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import fs, {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { unpackArchives } from '../../../src/build/copy/archive.ts';
import { digestSelection } from '../../../src/build/copy/digest.ts';
import { modeChange } from '../../../src/build/copy/mode.ts';
import { selectSources } from '../../../src/build/copy/select.ts';
import { SelectionSum } from '../../../src/build/copy/selection-sum.ts';
import { copyInto, type Owner } from '../../../src/build/copy/write.ts';
import { parseFileMode } from '../../../src/dockerfile/index.ts';
import { findExecutable } from '../../../src/system/index.ts';
import { dir, file, symlink, tar } from '../../layer/tar-builder.ts';
import { ScratchTree } from '../scratch.ts';
import { rootPrivileges as privileges } from '../../root-privileges.ts';

// Rules of ADD in docs/semantics.md.

const root = process.getuid?.() === 0;
interface Add {
  readonly from: ScratchTree;
  readonly into: ScratchTree;
  readonly sources: readonly string[];
  readonly to: string;
  readonly owner?: Owner;
  readonly chmod?: string;
}

async function added({ from, into, ...spec }: Add): Promise<string[]> {
  const tree = { root: from.root, resetOwner: true, label: 'the build context' };
  const sources = spec.sources.flatMap((pattern) => selectSources(tree, pattern, { parents: false }));
  const sum = new SelectionSum();
  const options = {
    root: into.root,
    destination: spec.to,
    owner: spec.owner,
    mode: spec.chmod === undefined ? undefined : modeChange(parseFileMode(spec.chmod)),
    followLinks: true,
    privileges,
    sum,
  };
  const signal = new AbortController().signal;
  copyInto(await unpackArchives(sources, { ...options, unpack: 'auto', signal }), options);
  expect(sum.digest(sources)).toBe(digestSelection(sources));
  const lines = execFileSync('find', ['.', '-mindepth', '1', '-printf', '%y %m %U:%G %P\n'], { cwd: into.root });
  return lines.toString('utf8').split('\n').filter(Boolean).sort();
}

async function trees<T>(files: Readonly<Record<string, Buffer>>, work: (from: ScratchTree, into: ScratchTree) => T) {
  using from = new ScratchTree();
  using into = new ScratchTree();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(from.root, name), content, { mode: 0o644 });
  return await work(from, into);
}

const one = tar(file('f', 'x'));

(root ? describe : describe.skip)('ADD (needs root to set owners)', () => {
  it.each([
    ['plain', one],
    ['very old', tar(file('f', 'x', { patch: (block) => block.fill(0, 257, 265) }))],
    ['gzip', gzipSync(one)],
    ['zstd', zstdCompressSync(one)],
  ])('14: a %s tar is known by its content, whatever its name', async (_packing, content) => {
    await trees({ 'a.txt': content }, async (from, into) => {
      expect(await added({ from, into, sources: ['a.txt'], to: '/d/' })).toEqual(['d 755 0:0 d', 'f 644 0:0 d/f']);
    });
  });

  it.each([
    ['text', Buffer.from('text')],
    ['gzip', gzipSync('text')],
    ['zstd', zstdCompressSync(Buffer.from('text'))],
    ['that is empty', Buffer.alloc(0)],
  ])('14: what is called .tar and is no tar, but %s, is copied', async (_what, content) => {
    await trees({ 'a.tar': content }, async (from, into) => {
      await added({ from, into, sources: ['a.tar'], to: '/d/' });
      expect(readFileSync(join(into.root, 'd/a.tar'))).toEqual(content);
    });
  });

  it('14: owners, times, setuid are those of the archive; --chmod is for what is copied', async () => {
    const content = tar(file('f', 'x', { mode: 0o4711, uid: 12, gid: 13, mtime: 1_234_567_890 }));
    await trees({ a: content }, async (from, into) => {
      expect(await added({ from, into, sources: ['a'], to: '/', chmod: '0600' })).toEqual(['f 4711 12:13 f']);
      expect(statSync(join(into.root, 'f')).mtimeMs).toBe(1_234_567_890_000);
    });
  });

  it('14: --chown is for entries, but not for folders that the archive does not name', async () => {
    const content = tar(
      dir('named/', { uid: 3 }),
      file('named/f', 'x', { uid: 3 }),
      file('implied/f', 'x', { uid: 3 }),
    );
    await trees({ a: content }, async (from, into) => {
      expect(await added({ from, into, sources: ['a'], to: '/', owner: { uid: 7, gid: 8 } })).toEqual([
        'd 755 0:0 implied',
        'd 755 7:8 named',
        'f 644 7:8 implied/f',
        'f 644 7:8 named/f',
      ]);
    });
  });

  it('14: absolute names count from the destination', async () => {
    await trees({ a: tar(file('/abs/f', 'x')) }, async (from, into) => {
      expect(await added({ from, into, sources: ['a'], to: '/d/' })).toContain('f 644 0:0 d/abs/f');
    });
  });

  it('14: no folder whose name is not UTF-8 is taken for a link out of the image', async () => {
    using outside = new ScratchTree({ sub: null });
    await trees({ a: one }, async (from, into) => {
      // As text, the folder \xff and the link \ufffd have one name.
      const folder = Buffer.from(`${into.root}/\xff`, 'latin1');
      mkdirSync(Buffer.concat([folder, Buffer.from('/sub')]), { recursive: true });
      fs.symlinkSync(outside.root, join(into.root, '\ufffd'));
      fs.symlinkSync(Buffer.from('\xff/sub', 'latin1'), join(into.root, 'link'));
      await added({ from, into, sources: ['a'], to: '/link/' });
      expect(readFileSync(Buffer.concat([folder, Buffer.from('/sub/f')]), 'utf8')).toBe('x');
      expect(outside.list()).toEqual(['d755 sub']);
    });
  });

  it('14: a link of the archive leads nowhere out of the image', async () => {
    await trees({ a: tar(symlink('out', '../../outside'), file('out/f', 'x')) }, async (from, into) => {
      const inner = join(into.root, 'a', 'b');
      mkdirSync(inner, { recursive: true });
      const adding = added({
        from,
        into: Object.assign(Object.create(into) as ScratchTree, { root: inner }),
        sources: ['a'],
        to: '/',
      });
      await adding.catch(() => undefined);
      expect(existsSync(join(into.root, 'outside'))).toBe(false);
      expect(readdirSync(into.root)).toEqual(['a']);
      expect(lstatSync(inner).isDirectory()).toBe(true);
    });
  });

  const packers = ['xz', 'bzip2'].every((program) => findExecutable(program) !== undefined);
  (packers ? it : it.skip)(
    '15: archives of different kinds are unpacked into one folder, the rest is copied',
    async () => {
      const pack = (program: string, name: string) => execFileSync(program, ['-c'], { input: tar(file(name, 'x')) });
      const files = { 'c.tar.xz': pack('xz', 'c'), 'd.bz2': pack('bzip2', 'd'), e: Buffer.from('text') };
      await trees(files, async (from, into) => {
        const found = await added({ from, into, sources: ['c.tar.xz', 'd.bz2', 'e'], to: '/n/' });
        expect(found).toEqual(['d 755 0:0 n', 'f 644 0:0 n/c', 'f 644 0:0 n/d', 'f 644 0:0 n/e']);
      });
    },
  );

  (packers ? it : it.skip)(
    'B5: an archive whose packing this machine cannot undo is an error, not a copy',
    async () => {
      const packed = execFileSync('xz', ['-c'], { input: one });
      await trees({ 'a.tar.xz': packed }, async (from, into) => {
        const { accessSync } = fs;
        const without = (path: fs.PathLike, mode?: number): void => {
          if (String(path).endsWith('/xz')) throw new Error('ENOENT');
          accessSync(path, mode);
        };
        Object.assign(fs, { accessSync: without });
        try {
          await expect(added({ from, into, sources: ['a.tar.xz'], to: '/n/' })).rejects.toMatchObject({
            code: 'ARCHIVE_INVALID',
            message: expect.stringContaining('this machine has no xz'),
          });
        } finally {
          Object.assign(fs, { accessSync });
        }
      });
    },
  );

  it('an archive that changes while it is unpacked is an error: its layer could be kept under the digest of neither', async () => {
    const long = gzipSync(tar(file('f', Buffer.alloc(32 << 20).toString('latin1'))), { level: 1 });
    await trees({ a: long }, async (from, into) => {
      const begun = setInterval(() => {
        if (!existsSync(join(into.root, 'd', 'f'))) return;
        clearInterval(begun);
        utimesSync(join(from.root, 'a'), 1, 1);
      }, 1);
      await expect(added({ from, into, sources: ['a'], to: '/d/' })).rejects.toMatchObject({
        code: 'ARCHIVE_INVALID',
        message: 'ADD cannot unpack a: it changed meanwhile',
      });
      clearInterval(begun);
    });
  });
});
