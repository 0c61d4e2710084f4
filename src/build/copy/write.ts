import { chmodSync, constants, lchownSync, linkSync, lutimesSync, mkdirSync, symlinkSync, unlinkSync } from 'node:fs';
import type { IgnoreMatcher } from '../../dockerfile/index.ts';
import { FileStats, loadSyscalls, type Privileges, splitDevice } from '../../system/index.ts';
import { BuildError } from '../error.ts';
import { contentOfOther } from './digest.ts';
import { FileWriter } from './file-writer.ts';
import type { KnownDigests } from './known-digests.ts';
import type { ModeChange } from './mode.ts';
import type { Selected } from './select.ts';
import type { EntryContent, SelectionSum } from './selection-sum.ts';
import { type BytePath, bytesOf, componentsOf, joinBytes, locate, modeIn, resolveInRoot, textOf } from './tree.ts';
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
  /**
   * Seconds since 1970: files of a context are not older than this. Their times differ between clones; at least so new, a layer
   * made with the same number as its latest time tells the same of all.
   */
  readonly notBefore?: number | undefined;
  readonly privileges: Privileges;
  /** Gets all that is copied, as it was read. */
  readonly sum?: SelectionSum | undefined;
  /** What files hold that need not be read for the sum. */
  readonly known?: KnownDigests | undefined;
}

/**
 * Copies what is selected into a root by the rules of COPY (docs/semantics.md, 1 to 13): a folder's contents go into the
 * destination, a file becomes it or goes below it; new folders are 0755 root's or `owner`'s; owner before mode before capabilities.
 * @throws BuildError COPY_CONFLICT for a folder over a file or a file over a folder
 */
export function copyInto(sources: readonly Selected[], into: CopyInto): Copied {
  using copier = new Copier(into);
  copier.copy(sources);
  return { named: copier.named };
}

export interface Copied {
  /** Whether something depends on what a source is called: it went into a folder under its own name. */
  readonly named: boolean;
}

/** Makes the folders of `path` that are missing, and returns where it really is. */
export function makeFolders(path: string, into: Omit<CopyInto, 'destination'>): BytePath {
  using copier = new Copier({ ...into, destination: path });
  return copier.folder(bytesOf(path));
}

class Copier implements Disposable {
  named = false;
  readonly #into: CopyInto;
  readonly #files: FileWriter;
  /** Folders that were made here: nothing is in them but what was copied. */
  readonly #made = new Set<BytePath>();
  /** Whether there is one source, whose names are all different. */
  #isAlone = false;
  /** First place of each inode that has several names, so that hard links stay links. */
  readonly #linked = new Map<string, BytePath>();
  /** The same the other way round: what is replaced is no first place any more. */
  readonly #inodes = new Map<BytePath, string>();

  constructor(into: CopyInto) {
    this.#into = into;
    this.#files = new FileWriter(into.root, into.privileges);
  }

  copy(sources: readonly Selected[]): void {
    const destination = bytesOf(this.#into.destination);
    this.#isAlone = sources.length === 1;
    for (const selected of sources) {
      if (selected.stats.isDirectory()) this.#copyFolder(selected, this.folder(destination));
      else this.#copyFile(selected, destination);
    }
  }

  #copyFolder(selected: Selected, target: BytePath): void {
    visitSelected(selected, {
      exclude: this.#into.exclude,
      enter: (entry) => this.#place(entry, joinBytes(target, entry.path), selected),
      leave: (entry) => this.#setTimes(joinBytes(target, entry.path), entry.stats, selected),
    });
  }

  #copyFile(selected: Selected, destination: BytePath): void {
    visitSelected(selected, {
      exclude: this.#into.exclude,
      enter: (entry) => {
        const asFolder = destination.endsWith('/') || this.#resolve(destination).stats?.isDirectory() === true;
        if (asFolder) {
          this.named = true;
          return this.#place(entry, joinBytes(this.folder(destination), selected.name), selected);
        }
        const target = this.#resolve(destination).path;
        this.folder(target.slice(0, Math.max(0, target.lastIndexOf('/'))));
        this.#place(entry, target, selected);
      },
    });
  }

  #resolve(path: BytePath): { path: BytePath; stats: FileStats | undefined } {
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
      this.#made.add(at);
      this.#finish(at, { mode: 0o755, owner: this.#into.owner ?? { uid: 0, gid: 0 }, isFolder: true });
    }
  }

  #at(path: BytePath): Buffer {
    return locate(this.#into.root, path);
  }

  #place(entry: WalkEntry, target: BytePath, selected: Selected): void {
    const { stats } = entry;
    const present = this.#present(target);
    const source = {
      mode: modeIn(selected.tree, stats),
      owner: this.#ownerOf(entry, selected),
      isFolder: stats.isDirectory(),
    };
    if (stats.isDirectory()) {
      if (present === undefined) {
        mkdirSync(this.#at(target), 0o700);
        this.#made.add(target);
      } else if (!present.isDirectory()) this.#replaceByFolder(target);
      this.#finish(target, source);
      this.#into.sum?.add(selected, entry, '');
      return;
    }
    if (present?.isDirectory()) {
      throw new BuildError('COPY_CONFLICT', `cannot replace to directory /${textOf(target)} with file`);
    }
    if (present !== undefined) this.#unlink(target);
    // Hard links of a checkout are an accident of that disk; those of an image belong to it.
    if (!selected.tree.resetOwner && this.#linkToFirst(stats, target)) return;
    if (stats.isFile()) return this.#copyContent(entry, target, { ...source, selected });
    const content = this.#make(entry, target);
    this.#into.sum?.add(selected, entry, content);
    if (stats.isSymbolicLink()) this.#setOwner(target, source.owner);
    else this.#finish(target, source);
    this.#setTimes(target, stats, selected);
  }

  #copyContent(
    entry: WalkEntry,
    target: BytePath,
    { selected, mode, owner }: { readonly selected: Selected; readonly mode: number; readonly owner: Owner },
  ): void {
    const { sum, known, privileges } = this.#into;
    const { child, stats } = entry;
    const { root, resetOwner } = selected.tree;
    const attributes = { ...owner, mode: this.#into.mode?.(mode, false) ?? mode, time: this.#timeOf(stats, selected) };
    const knownContent = sum === undefined ? undefined : (now: FileStats) => known?.get(root, now);
    const content = this.#files.copy(child, target, attributes, knownContent);
    sum?.add(selected, entry, content);
    if (privileges.kind === 'single') this.#setOwner(target, owner);
    if (!resetOwner) this.#copyCapability(child.at, target);
  }

  /** What is in the place of something that is copied. */
  #present(target: BytePath): FileStats | undefined {
    if (this.#isAlone && this.#made.has(target.slice(0, Math.max(0, target.lastIndexOf('/'))))) return undefined;
    return statOf(this.#at(target));
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

  #linkToFirst(stats: FileStats, target: BytePath): boolean {
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

  #make(entry: WalkEntry, target: BytePath): EntryContent {
    const to = this.#at(target);
    const { stats } = entry;
    const content = contentOfOther(entry);
    if (stats.isSymbolicLink()) symlinkSync(Buffer.from(content, 'latin1'), to);
    else {
      const { major, minor } = splitDevice(BigInt(stats.rdev));
      if ((stats.mode & constants.S_IFMT) === constants.S_IFCHR && major === 0 && minor === 0)
        throw deletionMark(entry);
      loadSyscalls().mknod(to, stats.mode, major, minor);
    }
    return content;
  }

  #ownerOf({ stats, child }: WalkEntry, selected: Selected): Owner {
    if (this.#into.owner !== undefined) return this.#into.owner;
    if (selected.tree.resetOwner) return { uid: 0, gid: 0 };
    return (this.#into.privileges.kind === 'single' && recordedOwner(child.at)) || { uid: stats.uid, gid: stats.gid };
  }

  /** Owner first: changing it clears setuid, setgid and capabilities. */
  #finish(target: BytePath, what: { readonly mode: number; readonly owner: Owner; readonly isFolder: boolean }): void {
    this.#setOwner(target, what.owner);
    chmodSync(this.#at(target), this.#into.mode?.(what.mode, what.isFolder) ?? what.mode);
  }

  #setOwner(target: BytePath, { uid, gid }: Owner): void {
    if (this.#into.privileges.kind !== 'single') return lchownSync(this.#at(target), uid, gid);
    if (uid === 0 && gid === 0) return;
    if (statOf(this.#at(target))?.isSymbolicLink()) return; // user attributes cannot be set on links
    loadSyscalls().setXattr(this.#at(target), 'user.slipway.owner', Buffer.from(`${uid}:${gid}`));
  }

  #copyCapability(from: Buffer, target: BytePath): void {
    const value = loadSyscalls().getXattr(from, 'security.capability');
    if (value !== undefined) loadSyscalls().setXattr(this.#at(target), 'security.capability', value);
  }

  #setTimes(target: BytePath, stats: FileStats, selected: Selected): void {
    const time = this.#timeOf(stats, selected);
    lutimesSync(this.#at(target), time, time);
  }

  /** Seconds since 1970. */
  #timeOf(stats: FileStats, { tree }: Selected): number {
    const earliest = tree.resetOwner ? (this.#into.notBefore ?? -Infinity) : -Infinity;
    return Math.max(earliest, stats.mtimeSec + stats.mtimeNsec / 1e9);
  }

  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
  }
}

function statOf(path: Buffer): FileStats | undefined {
  return FileStats.of(path);
}

/** In a snapshot such a device means that a name of the layers below is gone. */
function deletionMark({ path }: WalkEntry): BuildError {
  return new BuildError(
    'COPY_CONFLICT',
    `cannot copy ${textOf(path)}: overlays take the character device 0:0 for a deletion`,
    {
      hint: 'leave it out with .dockerignore or --exclude',
    },
  );
}

/** The owner that a single-id user namespace could only write down. */
function recordedOwner(at: Buffer): Owner | undefined {
  const [uid, gid] = loadSyscalls().getXattr(at, 'user.slipway.owner')?.toString().split(':').map(Number) ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}
