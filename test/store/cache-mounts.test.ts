import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  ArchivedCacheMount,
  CacheMountRecord,
  CacheMountUse,
  CacheMountWant,
  CacheSharing,
  Store,
} from '../../src/store/index.ts';
import { encodeHeader, endOfArchive, paddingFor, type TarEntry } from '../../src/layer/index.ts';
import { digestOf, type Digest } from '../../src/oci/index.ts';
import { ScratchStore } from './scratch-store.ts';

const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const want = (sharing: CacheSharing, more: Partial<CacheMountWant> = {}): CacheMountWant => ({
  id: 'id',
  origin: '',
  sharing,
  readOnly: false,
  owner: { ...own, mode: 0o750 },
  filled: false,
  ...more,
});
const folderOf = (use: CacheMountUse, index = 0): string => use.mounts[index]?.folder ?? '';
const take = (store: Store, sharing: CacheSharing, more: Partial<CacheMountWant> = {}): Promise<CacheMountUse> =>
  store.cacheMounts.acquire([want(sharing, more)]);
const only = (store: Store): CacheMountRecord => {
  const [record, ...others] = store.cacheMounts.list();
  if (record === undefined || others.length > 0) throw new Error('there is not one cache mount');
  return record;
};

describe('cache mounts', () => {
  it('are folders that stay, with the owner and mode of the first', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const first = await take(store, 'shared');
    writeFileSync(join(folderOf(first), 'file'), 'kept');
    expect(statSync(folderOf(first)).mode & 0o7777).toBe(0o750);
    await first[Symbol.asyncDispose]();
    const second = await take(store, 'locked', { owner: { ...own, mode: 0o700 } });
    expect(second.mounts).toEqual([{ folder: folderOf(first), isNew: false }]);
    expect(readFileSync(join(folderOf(second), 'file'), 'utf8')).toBe('kept');
    expect(statSync(folderOf(second)).mode & 0o7777).toBe(0o750);
    await second[Symbol.asyncDispose]();
  });

  const pairs: readonly (readonly [CacheSharing, CacheSharing, 'same' | 'other' | 'waits'])[] = [
    ['shared', 'shared', 'same'],
    ['shared', 'private', 'other'],
    ['shared', 'locked', 'waits'],
    ['private', 'shared', 'other'],
    ['private', 'private', 'other'],
    ['private', 'locked', 'waits'],
    ['locked', 'shared', 'other'],
    ['locked', 'private', 'other'],
    ['locked', 'locked', 'waits'],
  ];
  for (const owners of ['one process', 'two processes']) {
    it.each(pairs)(`%s, then %s: %s (${owners})`, async (one, two, expected) => {
      await using scratch = new ScratchStore();
      const store = await scratch.open();
      const another = owners === 'one process' ? store : await scratch.open();
      const first = await take(store, one);
      const waited: string[] = [];
      const asked = another.cacheMounts.acquire([want(two)], { onWait: (id) => void waited.push(id) });
      const early = await Promise.race([asked, sleep(120).then(() => undefined)]);
      const seen = early === undefined ? 'waits' : folderOf(early) === folderOf(first) ? 'same' : 'other';
      expect(seen).toBe(expected);
      expect(waited).toEqual(expected === 'waits' ? ['id'] : []);
      await first[Symbol.asyncDispose]();
      const second = await asked;
      if (expected === 'waits') expect(folderOf(second)).toBe(folderOf(first));
      await second[Symbol.asyncDispose]();
    });
  }

  it('go back to where they are taken from', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const both = [await take(store, 'private'), await take(store, 'private')];
    const folders = both.map((use) => folderOf(use)).toSorted();
    for (const use of both) await use[Symbol.asyncDispose]();
    const again = [await take(store, 'private'), await take(store, 'private')];
    expect(again.map((use) => folderOf(use)).toSorted()).toEqual(folders);
    for (const use of again) await use[Symbol.asyncDispose]();
  });

  it('of one step with one id are one folder', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    await using use = await store.cacheMounts.acquire([want('locked'), want('private'), want('locked', { id: 'b' })]);
    expect(folderOf(use, 0)).toBe(folderOf(use, 1));
    expect(folderOf(use, 2)).not.toBe(folderOf(use, 0));
  });

  it('are taken all at once: two steps that want two in other orders do not block each other', async () => {
    await using scratch = new ScratchStore();
    const [one, two] = [await scratch.open(), await scratch.open()];
    const [a, b] = [want('locked', { id: 'a' }), want('locked', { id: 'b' })];
    for (let round = 0; round < 5; round++) {
      const work = async (store: Store, wants: readonly CacheMountWant[]): Promise<void> => {
        await using _use = await store.cacheMounts.acquire(wants);
        await sleep(5);
      };
      await Promise.all([work(one, [a, b]), work(two, [b, a])]);
    }
  });

  it('of a process that died are free, and what it was filling is gone', async () => {
    await using scratch = new ScratchStore();
    const [one, two] = [await scratch.open(), await scratch.open()];
    const locked = await take(one, 'locked');
    const filling = await take(one, 'shared', { id: 'from', origin: 'x', filled: true });
    writeFileSync(join(folderOf(filling), 'half'), '');
    const waiting = Promise.all([take(two, 'locked'), take(two, 'shared', { id: 'from', origin: 'x', filled: true })]);
    await sleep(80);
    await one.close(); // its lock is gone with it
    const [next, filled] = await waiting;
    expect(folderOf(next)).toBe(folderOf(locked));
    expect(filled.mounts[0]?.isNew).toBe(true);
    expect(readdirSync(folderOf(filled))).toEqual([]);
    expect(existsSync(folderOf(filling))).toBe(false);
  });

  it('that are filled are nobody else’s before they are', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const filled = { id: 'from', origin: 'x', filled: true };
    const first = await take(store, 'shared', filled);
    const asked = take(store, 'shared', filled);
    expect(await Promise.race([asked, sleep(120).then(() => 'waits')])).toBe('waits');
    first.ready();
    const second = await asked;
    expect(second.mounts).toEqual([{ folder: folderOf(first), isNew: false }]);
    for (const use of [first, second]) await use[Symbol.asyncDispose]();
    const failed = await take(store, 'shared', { ...filled, origin: 'y' });
    await failed[Symbol.asyncDispose]();
    expect(existsSync(folderOf(failed))).toBe(false);
  });

  it('are listed and measured, and those that are not used are removed', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const used = await take(store, 'shared', { id: 'used' });
    const free = await take(store, 'shared', { id: 'free' });
    writeFileSync(join(folderOf(free), 'file'), Buffer.alloc(100_000));
    linkSync(join(folderOf(free), 'file'), join(folderOf(free), 'again'));
    await free[Symbol.asyncDispose]();
    const records = store.cacheMounts.list();
    expect(records.map(({ id, inUse }) => [id, inUse])).toEqual([
      ['free', false],
      ['used', true],
    ]);
    const [size = 0, empty] = await store.cacheMounts.measure(records);
    expect(size).toBeGreaterThanOrEqual(100_000);
    expect(size).toBeLessThan(150_000);
    expect(empty).toBe(0);
    expect(await store.cacheMounts.remove(records)).toEqual([records[0]?.name]);
    expect(existsSync(folderOf(free))).toBe(false);
    await used[Symbol.asyncDispose]();
  });

  it('whose folder somebody deleted are made again', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const first = await take(store, 'shared');
    await first[Symbol.asyncDispose]();
    execFileSync('rm', ['-r', folderOf(first)]);
    await using again = await take(store, 'shared');
    expect(readdirSync(folderOf(again))).toEqual([]);
  });
});

function tarEntry(name: string, more: Partial<TarEntry> = {}): Buffer {
  const entry: TarEntry = {
    name: Buffer.from(name),
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 1,
    mtimeNs: 0n,
    ...more,
  };
  const content = entry.size === 0 ? [] : [Buffer.from('x'), paddingFor(1)];
  return Buffer.concat([encodeHeader(entry), ...content]);
}

describe('archives of cache mounts', () => {
  const exported = async (store: Store, file: string, known?: Digest): Promise<ArchivedCacheMount | Digest> => {
    const record = only(store);
    const fd = openSync(file, 'wx');
    try {
      const { diffId, written, owner } = await store.cacheMounts.exportTo(record, { fd, known });
      return written === undefined ? diffId : { ...record, ...written, diffId, owner };
    } finally {
      closeSync(fd);
    }
  };
  const archived = async (store: Store, file: string): Promise<ArchivedCacheMount> => {
    const result = await exported(store, file);
    if (typeof result === 'string') throw new Error('nothing was written');
    return result;
  };

  it('keep owners, modes, attributes, links and names of any bytes', async () => {
    await using scratch = new ScratchStore();
    await using other = new ScratchStore();
    const [from, to] = [await scratch.open(), await other.open()];
    const use = await take(from, 'shared');
    const folder = folderOf(use);
    mkdirSync(join(folder, 'deep', 'er'), { recursive: true });
    writeFileSync(join(folder, 'deep', 'er', 'file'), 'content');
    chmodSync(join(folder, 'deep', 'er', 'file'), 0o4751);
    linkSync(join(folder, 'deep', 'er', 'file'), join(folder, 'linked'));
    symlinkSync('/etc/passwd', join(folder, 'link'));
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(0x66, 0xff)]), 'odd');
    if (process.getuid?.() === 0) execFileSync('chown', ['12:34', join(folder, 'deep')]);
    await use[Symbol.asyncDispose]();
    const file = join(scratch.folder, 'archive');
    const mount = await archived(from, file);
    await to.cacheMounts.importFrom(file, mount);
    const listing = (root: string): string =>
      execFileSync('sh', ['-c', 'cd "$1" && find . -printf "%p %y %m %U:%G %n %l\\n" | LC_ALL=C sort', 'sh', root], {
        encoding: 'latin1',
      });
    await using back = await take(to, 'shared');
    expect(listing(folderOf(back))).toBe(listing(folder));
    const [one, two] = ['deep/er/file', 'linked'].map((name) => statSync(join(folderOf(back), name)).ino);
    expect(one).toBe(two);
    expect({ ...only(to), inUse: false, archive: undefined, name: '' }).toEqual({
      ...only(from),
      archive: undefined,
      name: '',
    });
  });

  it('are not written again while the content is the same', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const put = async (content: string): Promise<void> => {
      await using use = await take(store, 'shared');
      writeFileSync(join(folderOf(use), 'file'), content);
      execFileSync('touch', ['-d', '@1000', join(folderOf(use), 'file')]);
    };
    await put('one');
    const first = await archived(store, join(scratch.folder, 'a'));
    expect(only(store).archive).toBe(first.diffId);
    expect(await exported(store, join(scratch.folder, 'b'), first.diffId)).toBe(first.diffId);
    await put('one'); // used, and the same again
    expect(only(store).archive).toBeUndefined();
    expect(await exported(store, join(scratch.folder, 'c'), first.diffId)).toBe(first.diffId);
    expect(only(store).archive).toBe(first.diffId);
    await put('two');
    expect(await exported(store, join(scratch.folder, 'd'), first.diffId)).toMatchObject({ id: 'id' });
  });

  it('take the place of what is not used', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const old = await take(store, 'shared');
    await old[Symbol.asyncDispose]();
    const file = join(scratch.folder, 'archive');
    const mount = await archived(store, file);
    await store.cacheMounts.importFrom(file, { ...mount, lastUsed: mount.lastUsed + 1000 });
    expect(only(store).lastUsed).toBe(mount.lastUsed + 1000);
    expect(existsSync(folderOf(old))).toBe(false);
  });

  const damages: readonly (readonly [string, (mount: ArchivedCacheMount) => ArchivedCacheMount])[] = [
    ['other bytes', (mount) => ({ ...mount, digest: digestOf('other') })],
    ['another size', (mount) => ({ ...mount, size: mount.size - 1 })],
    ['another tar', (mount) => ({ ...mount, diffId: digestOf('other') })],
  ];
  it.each(damages)('of %s than was said leave nothing', async (_, damage) => {
    await using scratch = new ScratchStore();
    await using other = new ScratchStore();
    const [from, to] = [await scratch.open(), await other.open()];
    await (await take(from, 'shared'))[Symbol.asyncDispose]();
    const file = join(scratch.folder, 'archive');
    const mount = await archived(from, file);
    await expect(to.cacheMounts.importFrom(file, damage(mount))).rejects.toThrow();
    expect(to.cacheMounts.list()).toEqual([]);
    expect(readdirSync(join(to.root, 'cache-mounts'))).toEqual([]);
  });

  it('lead nowhere else', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const outside = join(scratch.folder, 'outside');
    mkdirSync(outside);
    const file = join(scratch.folder, 'hostile.tar');
    const bytes = Buffer.concat([
      tarEntry('up', { type: 'symlink', linkName: Buffer.from(outside), size: 0 }),
      tarEntry('up/through-link'),
      tarEntry(`${'../'.repeat(12)}${outside.slice(1)}/by-dots`),
      tarEntry(`${outside}/absolute`),
      tarEntry('hard', { type: 'hardlink', linkName: Buffer.from('../../../../etc/passwd'), size: 0 }),
      endOfArchive,
    ]);
    writeFileSync(file, bytes);
    const digest = digestOf(bytes);
    const mount = { id: 'x', origin: '', created: 1, lastUsed: 1, owner: { ...own, mode: 0o755 } };
    await store.cacheMounts
      .importFrom(file, { ...mount, digest, diffId: digest, size: bytes.length })
      .catch(() => undefined); // it may be refused, or taken with what is harmless
    expect(readdirSync(outside)).toEqual([]);
  });
});
