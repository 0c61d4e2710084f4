import { closeSync, lstatSync, readdirSync, type Stats } from 'node:fs';
import { type BytePath, below, joinBytes, openFolderAt } from './tree.ts';

export interface WalkEntry {
  /** Relative to where the walk began. */
  readonly path: BytePath;
  /** Valid during the call only: reaches the entry through its open parent. */
  readonly at: Buffer;
  readonly stats: Stats;
}

/** `skip`: not part of the walk. `pass`: only on the way to something that is. `take`: part of it. */
export type Verdict = 'take' | 'pass' | 'skip';

export interface Walk {
  /** Judges a path before it is visited; all are taken unless given. */
  judge?(path: BytePath, stats: Stats): Verdict;
  /** Entries in bytewise order, a folder before what is in it. A passed folder comes only once something in it is taken. */
  enter(entry: WalkEntry): void;
  /** After all that is in a folder that was entered. */
  leave?(entry: WalkEntry): void;
}

/** Walks what is below the open folder `fd`, which stays open and is not itself visited. Synchronous: for workers. */
export function walkFolder(fd: number, walk: Walk, prefix: BytePath = ''): void {
  new Walker(walk).visit(fd, prefix);
}

class Walker {
  readonly #walk: Walk;
  /** Passed folders that wait for a first taken entry. */
  #waiting: WalkEntry[] = [];

  constructor(walk: Walk) {
    this.#walk = walk;
  }

  visit(fd: number, prefix: BytePath): void {
    for (const name of namesIn(fd)) {
      const path = joinBytes(prefix, name);
      const at = below(fd, name);
      const stats = lstatSync(at);
      const verdict = this.#walk.judge?.(path, stats) ?? 'take';
      if (verdict === 'skip' || (verdict === 'pass' && !stats.isDirectory())) continue;
      const entry = { path, at, stats };
      if (stats.isDirectory()) this.#visitFolder(fd, name, entry, verdict);
      else this.#enter(entry);
    }
  }

  #visitFolder(parent: number, name: BytePath, entry: WalkEntry, verdict: Verdict): void {
    if (verdict === 'take') this.#enter(entry);
    else this.#waiting.push(entry);
    const fd = openFolderAt(parent, name);
    try {
      this.visit(fd, entry.path);
    } finally {
      closeSync(fd);
    }
    if (this.#waiting.at(-1) === entry) this.#waiting.pop();
    else this.#walk.leave?.(entry);
  }

  #enter(entry: WalkEntry): void {
    for (const folder of this.#waiting.splice(0)) this.#walk.enter(folder);
    this.#walk.enter(entry);
  }
}

/** Names in an open folder, in bytewise order. */
export function namesIn(fd: number): BytePath[] {
  return readdirSync(`/proc/self/fd/${fd}/`, { encoding: 'latin1' }).sort(bytewise);
}

function bytewise(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
