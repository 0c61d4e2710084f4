import { type BigIntStats, constants, fstatSync, lstatSync } from 'node:fs';
import { loadKoffi, type NativeFunction } from './koffi.ts';

interface Fields {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
  readonly ctimeSec: number;
  readonly ctimeNsec: number;
}

/** What lstat(2) tells, times to the nanosecond (`fs.Stats` rounds them to a quarter of a microsecond) and no BigInt. */
export class FileStats implements Fields {
  readonly dev: number;
  /** Not a safe integer where the file system numbers above 2^53. */
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
  readonly ctimeSec: number;
  readonly ctimeNsec: number;

  constructor(fields: Fields) {
    this.dev = fields.dev;
    this.ino = fields.ino;
    this.mode = fields.mode;
    this.nlink = fields.nlink;
    this.uid = fields.uid;
    this.gid = fields.gid;
    this.rdev = fields.rdev;
    this.size = fields.size;
    this.mtimeSec = fields.mtimeSec;
    this.mtimeNsec = fields.mtimeNsec;
    this.ctimeSec = fields.ctimeSec;
    this.ctimeNsec = fields.ctimeNsec;
  }

  /** undefined: nothing is there, nor could be, below what is no folder. */
  static of(path: Buffer | string): FileStats | undefined {
    try {
      const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      return stats === undefined ? undefined : fromBigInts(stats);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  static ofOpen(fd: number): FileStats {
    // By an empty name the descriptor itself is meant.
    return statIn(fd, '') ?? fromBigInts(fstatSync(fd, { bigint: true }));
  }

  isFile(): boolean {
    return (this.mode & constants.S_IFMT) === constants.S_IFREG;
  }
  isDirectory(): boolean {
    return (this.mode & constants.S_IFMT) === constants.S_IFDIR;
  }
  isSymbolicLink(): boolean {
    return (this.mode & constants.S_IFMT) === constants.S_IFLNK;
  }
  isSocket(): boolean {
    return (this.mode & constants.S_IFMT) === constants.S_IFSOCK;
  }
  isFIFO(): boolean {
    return (this.mode & constants.S_IFMT) === constants.S_IFIFO;
  }
}

function fromBigInts(stats: BigIntStats): FileStats {
  const second = 1_000_000_000n;
  const below = (ns: bigint): bigint => ((ns % second) + second) % second;
  const [mtimeNsec, ctimeNsec] = [below(stats.mtimeNs), below(stats.ctimeNs)];
  return new FileStats({
    dev: Number(stats.dev),
    ino: Number(stats.ino),
    mode: Number(stats.mode),
    nlink: Number(stats.nlink),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    rdev: Number(stats.rdev),
    size: Number(stats.size),
    mtimeSec: Number((stats.mtimeNs - mtimeNsec) / second),
    mtimeNsec: Number(mtimeNsec),
    ctimeSec: Number((stats.ctimeNs - ctimeNsec) / second),
    ctimeNsec: Number(ctimeNsec),
  });
}

type StatIn = (folder: number, name: string) => FileStats | undefined;

let statInFolder: StatIn | undefined;

/**
 * The stats of what is called `name` (one character per byte) in an open folder, links not followed, or of the
 * folder itself where that is empty; undefined: nothing is there.
 * Half the time of `lstatSync` on a path through /proc/self/fd (1.4 instead of 2.7 µs).
 */
export function statIn(folder: number, name: string): FileStats | undefined {
  statInFolder ??= bindStatx() ?? slowly;
  return statInFolder(folder, name);
}

const slowly: StatIn = (folder, name) =>
  name === ''
    ? fromBigInts(fstatSync(folder, { bigint: true }))
    : FileStats.of(Buffer.from(`/proc/self/fd/${folder}/${name}`, 'latin1'));

/** undefined where the C library has no statx: musl before 1.2.4. */
function bindStatx(): StatIn | undefined {
  let statx: NativeFunction;
  try {
    const parameters = ['int', 'const void *', 'int', 'unsigned int', 'void *'];
    statx = loadKoffi().load(null).func('statx', 'int', parameters);
  } catch {
    return undefined;
  }
  const words = new Uint32Array(64);
  const answer = Buffer.from(words.buffer);
  const longestName = 255;
  const terminated = Buffer.alloc(longestName + 1);
  const symlinkNoFollow = 0x100;
  const emptyPath = 0x1000;
  const basicStats = 0x7ff;
  return (folder, name) => {
    if (name.length > longestName || name.includes('\0')) return slowly(folder, name);
    terminated[terminated.write(name, 'latin1')] = 0;
    const failed = Number(statx(folder, terminated, symlinkNoFollow | emptyPath, basicStats, answer)) < 0;
    return failed ? slowly(folder, name) : fromStatx(words);
  };
}

/** `struct statx` of linux/stat.h in words of 32 bits; the same on every architecture but for the order of bytes, little-endian here. */
function fromStatx(words: Uint32Array): FileStats {
  const word = (index: number): number => words[index] as number;
  const long = (index: number): number => word(index) + word(index + 1) * 0x1_0000_0000;
  const signed = (index: number): number => word(index) + (word(index + 1) | 0) * 0x1_0000_0000;
  return new FileStats({
    nlink: word(4),
    uid: word(5),
    gid: word(6),
    mode: word(7) & 0xffff,
    ino: long(8),
    size: long(10),
    ctimeSec: signed(24),
    ctimeNsec: word(26),
    mtimeSec: signed(28),
    mtimeNsec: word(30),
    rdev: deviceOf(word(32), word(33)),
    dev: deviceOf(word(34), word(35)),
  });
}

/** The number that stat(2) gives for a device: glibc's and musl's dev_t. */
function deviceOf(major: number, minor: number): number {
  const low = (((major & 0xfff) << 8) | (minor & 0xff)) >>> 0;
  return low + (minor >>> 8) * 0x10_0000 + (major >>> 12) * 0x1000_0000_0000;
}
