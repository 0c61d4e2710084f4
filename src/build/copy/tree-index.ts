import { closeSync } from 'node:fs';
import { digestOfOpen } from './digest.ts';
import type { StatCache } from './stat-cache.ts';
import { type BytePath, below, joinBytes, openFolder, openToRead } from './tree.ts';
import { closeIn, statIn } from '../../system/index.ts';
import { type Child, type Folder, namesIn } from './walk.ts';

/** Some 100 MB of memory. What there is beyond is looked at by each step. */
const mostRemembered = 300_000;

/**
 * What one build has seen of a context folder: names, stats and digests, each asked for once however many steps select it. The build
 * goes by what it saw first; whoever copies reads for himself, and tells the digest of what he read.
 */
export class TreeIndex implements Disposable {
  readonly #root: string;
  readonly #cache: StatCache | undefined;
  readonly #folders = new Map<BytePath, KnownFolder>();
  readonly #contents = new WeakMap<Child, string>();
  #room = mostRemembered;
  /** The folder that was read last: the next file is most likely in it. */
  #open: { readonly path: BytePath; readonly fd: number } | undefined;

  constructor(root: string, cache: StatCache | undefined) {
    this.#root = root;
    this.#cache = cache;
  }

  /** @param path free of links */
  folder(path: BytePath): Folder {
    let known = this.#folders.get(path);
    if (known === undefined) this.#folders.set(path, (known = new KnownFolder(path, this)));
    return known;
  }

  /** An open folder; valid until another one is asked for. */
  reach(path: BytePath): number {
    if (this.#open?.path === path) return this.#open.fd;
    const fd = openFolder(this.#root, path);
    this[Symbol.dispose]();
    this.#open = { path, fd };
    return fd;
  }

  /** Whether so many files more may be remembered. */
  takeRoom(count: number): boolean {
    if (count > this.#room) return false;
    this.#room -= count;
    return true;
  }

  /** sha256 of a regular file. */
  contentOf(child: Child): string {
    let digest = this.#contents.get(child) ?? this.#cache?.get(child.stats);
    digest ??= this.#read(child);
    this.#contents.set(child, digest);
    return digest;
  }

  #read(child: Child): string {
    const fd = child.open();
    try {
      return this.#cache === undefined ? digestOfOpen(fd, child.stats.size) : this.#cache.digest(fd);
    } finally {
      closeIn(fd);
    }
  }

  /** Keeps what was read for the next build. */
  save(): void {
    this.#cache?.save();
  }

  /** Closes what is open; what was seen stays known. */
  [Symbol.dispose](): void {
    if (this.#open !== undefined) closeSync(this.#open.fd);
    this.#open = undefined;
  }
}

class KnownFolder implements Folder {
  readonly #path: BytePath;
  readonly #index: TreeIndex;
  #children: readonly Child[] | undefined;

  constructor(path: BytePath, index: TreeIndex) {
    this.#path = path;
    this.#index = index;
  }

  children(): readonly Child[] {
    if (this.#children !== undefined) return this.#children;
    const children: Child[] = [];
    const fd = this.#index.reach(this.#path);
    for (const name of namesIn(fd)) {
      const stats = statIn(fd, name);
      if (stats !== undefined) children.push(new KnownChild(name, stats, this));
    }
    if (this.#index.takeRoom(children.length)) this.#children = children;
    return children;
  }

  enter(name: BytePath): Folder {
    return this.#index.folder(joinBytes(this.#path, name));
  }

  /** An open descriptor, valid until another folder is asked for. */
  reach(): number {
    return this.#index.reach(this.#path);
  }

  [Symbol.dispose](): void {}
}

class KnownChild implements Child {
  readonly name: BytePath;
  readonly stats: Child['stats'];
  readonly #folder: KnownFolder;

  constructor(name: BytePath, stats: Child['stats'], folder: KnownFolder) {
    this.name = name;
    this.stats = stats;
    this.#folder = folder;
  }

  get at(): Buffer {
    return below(this.#folder.reach(), this.name);
  }

  open(): number {
    return openToRead(this.#folder.reach(), this.name);
  }
}
