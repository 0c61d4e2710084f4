import { closeSync, readdirSync } from 'node:fs';
import { type FileStats, statIn } from '../../system/index.ts';
import {
  type BytePath,
  below,
  joinBytes,
  locate,
  openFolder,
  openFolderAt,
  openFolderToFind,
  openToRead,
} from './tree.ts';

/** Something in a folder. */
export interface Child {
  readonly name: BytePath;
  /** Reaches it through its open parent. Valid until the walk goes on. */
  readonly at: Buffer;
  readonly stats: FileStats;
  /** Opens a file for reading, as `openToRead` does. */
  open(): number;
}

/** A folder that is walked. */
export interface Folder extends Disposable {
  /** In bytewise order of names. */
  children(): Iterable<Child>;
  enter(name: BytePath): Folder;
}

export interface WalkEntry {
  /** Relative to where the walk began. */
  readonly path: BytePath;
  readonly child: Child;
  readonly stats: FileStats;
}

/** `skip`: not part of the walk. `pass`: only on the way to something that is. `take`: part of it. */
export type Verdict = 'take' | 'pass' | 'skip';

export interface Walk {
  /** Judges a path before it is visited; all are taken unless given. */
  judge?(path: BytePath): Verdict;
  /** Entries in bytewise order, a folder before what is in it. A passed folder comes only once something in it is taken. */
  enter(entry: WalkEntry): void;
  /** After all that is in a folder that was entered. */
  leave?(entry: WalkEntry): void;
}

/** Walks what is in `folder`, which is not itself visited. Synchronous: for workers. */
export function walkFolder(folder: Folder, walk: Walk): void {
  new Walker(walk).visit(folder, '');
}

class Walker {
  readonly #walk: Walk;
  /** Passed folders that wait for a first taken entry. */
  #waiting: WalkEntry[] = [];

  constructor(walk: Walk) {
    this.#walk = walk;
  }

  visit(folder: Folder, prefix: BytePath): void {
    for (const child of folder.children()) {
      const path = joinBytes(prefix, child.name);
      const verdict = this.#walk.judge?.(path) ?? 'take';
      const { stats } = child;
      if (verdict === 'skip' || (verdict === 'pass' && !stats.isDirectory())) continue;
      const entry = { path, child, stats };
      if (stats.isDirectory()) this.#visitFolder(folder, child.name, entry, verdict);
      else this.#enter(entry);
    }
  }

  #visitFolder(parent: Folder, name: BytePath, entry: WalkEntry, verdict: Verdict): void {
    if (verdict === 'take') this.#enter(entry);
    else this.#waiting.push(entry);
    {
      using folder = parent.enter(name);
      this.visit(folder, entry.path);
    }
    if (this.#waiting.at(-1) === entry) this.#waiting.pop();
    else this.#walk.leave?.(entry);
  }

  #enter(entry: WalkEntry): void {
    for (const folder of this.#waiting.splice(0)) this.#walk.enter(folder);
    this.#walk.enter(entry);
  }
}

/** A folder as it is on disk at this moment. */
export class OpenFolder implements Folder {
  readonly #fd: number;

  /** @param fd closed with the folder */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Opens the folder at `path`, which is free of links. */
  static at(root: string, path: BytePath): OpenFolder {
    return new OpenFolder(openFolder(root, path));
  }

  *children(): Iterable<Child> {
    for (const name of namesIn(this.#fd)) {
      const stats = statIn(this.#fd, name);
      if (stats !== undefined) yield new ChildOfOpen(this.#fd, name, stats);
    }
  }

  enter(name: BytePath): OpenFolder {
    return new OpenFolder(openFolderAt(this.#fd, name));
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** What was found in an open folder. */
class ChildOfOpen implements Child {
  readonly name: BytePath;
  readonly stats: FileStats;
  readonly #folder: number;

  constructor(folder: number, name: BytePath, stats: FileStats) {
    this.name = name;
    this.stats = stats;
    this.#folder = folder;
  }

  get at(): Buffer {
    return below(this.#folder, this.name);
  }

  open(): number {
    return openToRead(this.#folder, this.name);
  }
}

/** The child that lies at a path (free of links) below a root. */
export class ChildOfRoot implements Child {
  readonly name: BytePath;
  readonly stats: FileStats;
  readonly #root: string;
  readonly #path: BytePath;

  constructor(root: string, path: BytePath, { name, stats }: Pick<Child, 'name' | 'stats'>) {
    this.name = name;
    this.stats = stats;
    this.#root = root;
    this.#path = path;
  }

  get at(): Buffer {
    return locate(this.#root, this.#path);
  }

  open(): number {
    const slash = this.#path.lastIndexOf('/');
    const folder = openFolderToFind(this.#root, this.#path.slice(0, Math.max(0, slash)));
    try {
      return openToRead(folder, this.#path.slice(slash + 1));
    } finally {
      closeSync(folder);
    }
  }
}

/** Names in an open folder, in bytewise order. */
export function namesIn(fd: number): BytePath[] {
  return readdirSync(`/proc/self/fd/${fd}/`, { encoding: 'latin1' }).sort(bytewise);
}

function bytewise(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
