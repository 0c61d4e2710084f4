import {
  chmodSync,
  closeSync,
  constants,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import type { IgnoreMatcher } from '../../dockerfile/index.ts';
import { loadSyscalls, type Privileges, splitDevice, writeFully } from '../../system/index.ts';
import { BuildError } from '../error.ts';
import type { ModeChange } from './mode.ts';
import type { Selected } from './select.ts';
import { type BytePath, bytesOf, componentsOf, joinBytes, locate, resolveInRoot, textOf } from './tree.ts';
import { visitSelected } from './visit.ts';
import type { WalkEntry } from './walk.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface CopyInto {
  /** Absolute path of the root that the destination is in. Nothing else may write to it meanwhile. */
  readonly root: string;
  /** As in the Dockerfile, absolute; a trailing slash means a folder. */
  readonly destination: string;
  readonly owner?: Owner | undefined;
  readonly mode?: ModeChange | undefined;
  readonly exclude?: IgnoreMatcher | undefined;
  /** `--link`: links in the destination are not followed; folders take their place. */
  readonly followLinks: boolean;
  readonly privileges: Privileges;
}

const buffer = Buffer.allocUnsafeSlow(1 << 20);

/**
 * Copies what is selected into a root by the rules of COPY (reference: builder.md traps 1 to 13): a folder's contents go into the
 * destination, a file becomes it or goes below it; new folders are 0755 root's or `owner`'s; owner before mode before capabilities.
 * @throws BuildError COPY_CONFLICT for a folder over a file or a file over a folder
 */
export function copyInto(sources: readonly Selected[], into: CopyInto): void {
  new Copier(into).copy(sources);
}

/** Makes the folders of `path` that are missing, and returns where it really is. */
export function makeFolders(path: string, into: Omit<CopyInto, 'destination'>): BytePath {
  return new Copier({ ...into, destination: path }).folder(bytesOf(path));
}

class Copier {
  readonly #into: CopyInto;
  /** First place of each inode that has several names, so that hard links stay links. */
  readonly #linked = new Map<string, BytePath>();
  /** The same the other way round: what is replaced is no first place any more. */
  readonly #inodes = new Map<BytePath, string>();

  constructor(into: CopyInto) {
    this.#into = into;
  }

  copy(sources: readonly Selected[]): void {
    const destination = bytesOf(this.#into.destination);
    for (const selected of sources) {
      if (selected.stats.isDirectory()) this.#copyFolder(selected, this.folder(destination));
      else this.#copyFile(selected, destination);
    }
  }

  #copyFolder(selected: Selected, target: BytePath): void {
    visitSelected(selected, {
      exclude: this.#into.exclude,
      enter: (entry) => this.#place(entry, joinBytes(target, entry.path), selected),
      leave: (entry) => this.#setTimes(joinBytes(target, entry.path), entry.stats),
    });
  }

  #copyFile(selected: Selected, destination: BytePath): void {
    visitSelected(selected, {
      exclude: this.#into.exclude,
      enter: (entry) => {
        const asFolder = destination.endsWith('/') || this.#resolve(destination).stats?.isDirectory() === true;
        if (asFolder) return this.#place(entry, joinBytes(this.folder(destination), selected.name), selected);
        const target = this.#resolve(destination).path;
        this.folder(target.slice(0, Math.max(0, target.lastIndexOf('/'))));
        this.#place(entry, target, selected);
      },
    });
  }

  #resolve(path: BytePath): { path: BytePath; stats: Stats | undefined } {
    if (this.#into.followLinks) return resolveInRoot(this.#into.root, path);
    const plain = componentsOf(path)
      .filter((part) => part !== '..')
      .join('/');
    return { path: plain, stats: statOf(this.#at(plain)) };
  }

  /** The folder at `path`, made with its parents where it is missing. */
  folder(path: BytePath): BytePath {
    let at: BytePath = '';
    for (const part of componentsOf(path)) {
      const found = part === '..' ? this.#resolve(`${at}/..`) : this.#resolve(joinBytes(at, part));
      at = found.path;
      if (found.stats === undefined) this.#makeMissing(at);
      else if (!found.stats.isDirectory()) {
        if (this.#into.followLinks)
          throw new BuildError('COPY_CONFLICT', `cannot copy to non-directory: /${textOf(at)}`);
        this.#unlink(at);
        this.#makeMissing(at);
      }
    }
    return at;
  }

  /** A followed link may point into several missing folders at once. */
  #makeMissing(path: BytePath): void {
    let at: BytePath = '';
    for (const part of componentsOf(path)) {
      at = joinBytes(at, part);
      if (statOf(this.#at(at)) !== undefined) continue;
      mkdirSync(this.#at(at), 0o755);
      this.#finish(at, { mode: 0o755, owner: this.#into.owner ?? { uid: 0, gid: 0 }, isFolder: true });
    }
  }

  #at(path: BytePath): Buffer {
    return locate(this.#into.root, path);
  }

  #place(entry: WalkEntry, target: BytePath, selected: Selected): void {
    const { stats, at } = entry;
    if (stats.isSocket()) return;
    const present = statOf(this.#at(target));
    const source = {
      mode: stats.mode & 0o7777,
      owner: this.#ownerOf(stats, at, selected),
      isFolder: stats.isDirectory(),
    };
    if (stats.isDirectory()) {
      if (present === undefined) mkdirSync(this.#at(target), 0o700);
      else if (!present.isDirectory()) this.#replaceByFolder(target);
      this.#finish(target, source);
      return;
    }
    if (present?.isDirectory()) {
      throw new BuildError('COPY_CONFLICT', `cannot replace to directory /${textOf(target)} with file`);
    }
    if (present !== undefined) this.#unlink(target);
    if (this.#linkToFirst(stats, target)) return;
    this.#make(entry, target);
    if (stats.isSymbolicLink()) this.#setOwner(target, source.owner);
    else this.#finish(target, source);
    if (!selected.tree.resetOwner && stats.isFile()) this.#copyCapability(at, target);
    this.#setTimes(target, stats);
  }

  #replaceByFolder(target: BytePath): void {
    if (this.#into.followLinks)
      throw new BuildError('COPY_CONFLICT', `cannot copy to non-directory: /${textOf(target)}`);
    this.#unlink(target);
    mkdirSync(this.#at(target), 0o700);
  }

  #unlink(target: BytePath): void {
    unlinkSync(this.#at(target));
    const inode = this.#inodes.get(target);
    if (inode === undefined) return;
    this.#inodes.delete(target);
    this.#linked.delete(inode);
  }

  #linkToFirst(stats: Stats, target: BytePath): boolean {
    // Beyond 2^53 (network file systems) numbers of several inodes look alike.
    if (stats.nlink < 2 || !Number.isSafeInteger(stats.ino)) return false;
    const inode = `${stats.dev}:${stats.ino}`;
    const first = this.#linked.get(inode);
    if (first === undefined) {
      this.#linked.set(inode, target);
      this.#inodes.set(target, inode);
      return false;
    }
    linkSync(this.#at(first), this.#at(target));
    return true;
  }

  #make({ at, stats }: WalkEntry, target: BytePath): void {
    const to = this.#at(target);
    if (stats.isFile()) copyContent(at, to);
    else if (stats.isSymbolicLink()) symlinkSync(readlinkSync(at, { encoding: 'buffer' }), to);
    else {
      const { major, minor } = splitDevice(BigInt(stats.rdev));
      loadSyscalls().mknod(to, stats.mode, major, minor);
    }
  }

  #ownerOf(stats: Stats, at: Buffer, selected: Selected): Owner {
    if (this.#into.owner !== undefined) return this.#into.owner;
    if (selected.tree.resetOwner) return { uid: 0, gid: 0 };
    return (this.#into.privileges.kind === 'single' && recordedOwner(at)) || { uid: stats.uid, gid: stats.gid };
  }

  /** Owner first: changing it clears setuid, setgid and capabilities. */
  #finish(target: BytePath, what: { readonly mode: number; readonly owner: Owner; readonly isFolder: boolean }): void {
    this.#setOwner(target, what.owner);
    chmodSync(this.#at(target), this.#into.mode?.(what.mode, what.isFolder) ?? what.mode);
  }

  #setOwner(target: BytePath, { uid, gid }: Owner): void {
    if (this.#into.privileges.kind !== 'single') return lchownSync(this.#at(target), uid, gid);
    if (uid === 0 && gid === 0) return;
    if (lstatSync(this.#at(target)).isSymbolicLink()) return; // user attributes cannot be set on links
    loadSyscalls().setXattr(this.#at(target), 'user.slipway.owner', Buffer.from(`${uid}:${gid}`));
  }

  #copyCapability(from: Buffer, target: BytePath): void {
    const value = loadSyscalls().getXattr(from, 'security.capability');
    if (value !== undefined) loadSyscalls().setXattr(this.#at(target), 'security.capability', value);
  }

  #setTimes(target: BytePath, stats: Stats): void {
    lutimesSync(this.#at(target), stats.atimeMs / 1000, stats.mtimeMs / 1000);
  }
}

function statOf(path: Buffer): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** The owner that a single-id user namespace could only write down. */
function recordedOwner(at: Buffer): Owner | undefined {
  const [uid, gid] = loadSyscalls().getXattr(at, 'user.slipway.owner')?.toString().split(':').map(Number) ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

function copyContent(from: Buffer, to: Buffer): void {
  const source = openSync(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const target = openSync(
      to,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      for (let length = 0; (length = readSync(source, buffer, 0, buffer.length, null)) > 0; )
        writeFully(target, buffer.subarray(0, length));
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}
