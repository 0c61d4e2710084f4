import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { contentDigest } from '../../../src/build/copy/digest.ts';
import { type Clock, StatCache } from '../../../src/build/copy/stat-cache.ts';
import { FileStats, tellsEveryChange } from '../../../src/system/index.ts';
import { loadKoffi } from '../../../src/system/koffi.ts';
import { ScratchTree } from '../scratch.ts';

const booted = 1_700_000_000_000;
/** By this clock all files were written long before they are read. */
const later: Clock = { now: () => Date.now() + 60_000, bootedAt: () => booted };

function digest(cache: StatCache | undefined, file: string): void {
  const fd = openSync(file, 'r');
  try {
    cache?.digest(fd);
  } finally {
    closeSync(fd);
  }
}

class Place implements Disposable {
  readonly tree = new ScratchTree({ 'ctx/f': 'old', 'ctx/g': 'other', caches: null });
  readonly root = join(this.tree.root, 'ctx');
  readonly caches = join(this.tree.root, 'caches');
  readonly file = join(this.root, 'f');

  open(clock: Clock = later): StatCache {
    const cache = StatCache.open(this.caches, this.root, clock);
    if (cache === undefined) throw new Error('no cache for this file system');
    return cache;
  }

  /** Reads files as a first build does, and ends it. */
  build(clock: Clock = later): void {
    const cache = this.open(clock);
    for (const name of ['f', 'g']) digest(cache, join(this.root, name));
    cache.save();
  }

  /** What a next build knows of a file without reading it. */
  known(name = 'f', clock: Clock = later): string | undefined {
    return this.open(clock).get(FileStats.of(join(this.root, name)) as FileStats);
  }

  get cacheFile(): string {
    return join(this.caches, readdirSync(this.caches)[0] ?? '');
  }

  [Symbol.dispose](): void {
    this.tree[Symbol.dispose]();
  }
}

function within<T>(test: (place: Place) => T): T {
  using place = new Place();
  return test(place);
}

/** What somebody does between two builds that leaves size and modification time as they were. */
const changes: readonly [what: string, change: (place: Place) => void][] = [
  ['writes as many bytes and sets the time back', ({ file }) => writeFileSync(file, 'new')],
  [
    'puts another file in its place',
    ({ file, root }) => {
      writeFileSync(join(root, 'h'), 'new');
      utimesSync(join(root, 'h'), 1_000_000_000, 1_000_000_000);
      renameSync(join(root, 'h'), file);
    },
  ],
  [
    'writes through another name of the inode',
    ({ file, root }) => {
      linkSync(file, join(root, 'link'));
      writeFileSync(join(root, 'link'), 'new');
    },
  ],
  ['exchanges two files', ({ file, root }) => exchange(file, join(root, 'g'))],
];

function exchange(a: string, b: string): void {
  renameSync(a, `${a}.moved`);
  renameSync(b, a);
  renameSync(`${a}.moved`, b);
}

(tellsEveryChange(tmpdir()) ? describe : describe.skip)('StatCache', () => {
  it('knows files that did not change', () => {
    within((place) => {
      place.build();
      expect([place.known('f'), place.known('g')]).toEqual([
        contentDigest(place.file),
        contentDigest(join(place.root, 'g')),
      ]);
    });
  });

  it.each(changes)('is not fooled by who %s', (_what, change) => {
    within((place) => {
      place.build();
      change(place);
      utimesSync(place.file, 1_000_000_000, 1_000_000_000);
      const found = place.known();
      expect(found === undefined || found === contentDigest(place.file)).toBe(true);
    });
  });

  it.each([
    ['a new mode', ({ file }: Place) => chmodSync(file, 0o600)],
    ['a new name of the inode', ({ file, root }: Place) => linkSync(file, join(root, 'h'))],
    ['a new time', ({ file }: Place) => utimesSync(file, 1, 1)],
  ])('reads again after %s', (_what, change) => {
    within((place) => {
      place.build();
      change(place);
      expect(place.known()).toBeUndefined();
    });
  });

  it('does not keep what was written just before it was read', () => {
    within((place) => {
      place.build({ ...later, now: () => Date.now() });
      expect(place.known()).toBeUndefined();
    });
  });

  it('does not keep what seems to come from the future', () => {
    within((place) => {
      place.build({ ...later, now: () => Date.now() - 3_600_000 });
      expect(place.known()).toBeUndefined();
    });
  });

  it('does not keep what somebody has open for writing', () => {
    within((place) => {
      const fd = openSync(place.file, 'r+');
      try {
        place.build();
      } finally {
        closeSync(fd);
      }
      expect([place.known('f'), place.known('g')]).toEqual([undefined, expect.any(String)]);
    });
  });

  it('does not keep what is mapped for writing: such writes leave no time', () => {
    within((place) => {
      const mapping = mapForWriting(place.file, 'old');
      place.build();
      mapping.write('new');
      const found = place.known();
      mapping.close();
      expect([found, readFileSync(place.file, 'utf8')]).toEqual([undefined, 'new']);
    });
  });

  it('believes nothing once the clock was set back', () => {
    within((place) => {
      place.build();
      expect(place.known('f', { ...later, bootedAt: () => booted - 5000 })).toBeUndefined();
      expect(place.known('f', { ...later, bootedAt: () => booted + 5000 })).toEqual(expect.any(String));
    });
  });

  it.each([
    ['cut short', (file: string) => truncateSync(file, lstatSync(file).size - 1)],
    ['empty', (file: string) => truncateSync(file, 0)],
    ['changed in one bit of a digest', (file: string) => flip(file, lstatSync(file).size - 1)],
    ['changed in one bit of its header', (file: string) => flip(file, 30)],
    ['of another version', (file: string) => flip(file, 8)],
    ['something else', (file: string) => writeFileSync(file, Buffer.alloc(160 + 96, 0xff))],
  ])('ignores a cache file that is %s', (_what, damage) => {
    within((place) => {
      place.build();
      damage(place.cacheFile);
      expect(place.known()).toBeUndefined();
      place.build();
      expect(place.known()).toEqual(expect.any(String));
    });
  });

  it("ignores another folder's cache", () => {
    within((place) => {
      using other = new ScratchTree({ f: 'x' });
      place.build();
      const cache = StatCache.open(place.caches, other.root, later);
      digest(cache, join(other.root, 'f'));
      cache?.save();
      const [mine = '', foreign = ''] = readdirSync(place.caches)
        .map((name) => join(place.caches, name))
        .toSorted((a, b) => lstatSync(b).size - lstatSync(a).size);
      copyFileSync(foreign, mine);
      expect(place.known()).toBeUndefined();
    });
  });

  it('keeps what two builds found at the same time', () => {
    within((place) => {
      const [one, two] = [place.open(), place.open()];
      digest(one, place.file);
      digest(two, join(place.root, 'g'));
      one.save();
      two.save();
      expect([place.known('f'), place.known('g')]).toEqual([expect.any(String), expect.any(String)]);
    });
  });

  it('writes only what is new, and leaves nothing else behind', () => {
    within((place) => {
      place.build();
      const { ino } = lstatSync(place.cacheFile);
      const cache = place.open();
      cache.get(FileStats.of(place.file) as FileStats);
      cache.save();
      expect([lstatSync(place.cacheFile).ino, readdirSync(place.caches).length]).toEqual([ino, 1]);
    });
  });

  it('is no reason to fail where it cannot be written', () => {
    within((place) => {
      writeFileSync(join(place.tree.root, 'taken'), '');
      const cache = StatCache.open(join(place.tree.root, 'taken'), place.root, later);
      digest(cache, place.file);
      expect(() => cache?.save()).not.toThrow();
    });
  });

  it('is not used where stats prove nothing', () => {
    within((place) => {
      expect(existsSync('/proc/self') && StatCache.open(place.caches, '/proc', later)).toBeUndefined();
    });
  });
});

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(file, bytes);
}

/** A shared mapping with a dirty page, its descriptor closed: nothing but the mapping tells of the writer. */
function mapForWriting(file: string, content: string): { write(text: string): void; close(): void } {
  const libc = loadKoffi().load(null);
  const mmap = libc.func('mmap', 'void *', ['void *', 'size_t', 'int', 'int', 'int', 'long']);
  const munmap = libc.func('munmap', 'int', ['void *', 'size_t']);
  const memcpy = libc.func('memcpy', 'void *', ['void *', 'const void *', 'size_t']);
  const fd = openSync(file, 'r+');
  const [readAndWrite, shared] = [3, 1];
  const address = mmap(null, content.length, readAndWrite, shared, fd, 0);
  closeSync(fd);
  const write = (text: string): void => void memcpy(address, Buffer.from(text), text.length);
  write(content);
  return { write, close: () => void munmap(address, content.length) };
}
