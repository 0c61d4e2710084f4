import { createHash, type Hash } from 'node:crypto';
import type { Selected } from './select.ts';
import { type BytePath, joinBytes, modeIn, textOf } from './tree.ts';
import type { WalkEntry } from './walk.ts';
import type { ListingEntry } from './listing.ts';

/** Changes when the same files get another digest. */
export const selectionForm = '4';
const flushAt = 1 << 16;

/** What one file holds: a regular file's sha256 (with its capability, where that counts), a link's target, a device's number. */
export type EntryContent = string;

/**
 * The content digest of a selection, added up file by file by whoever reads them: the digest job before a step, and the copy while it
 * copies, so that a layer is kept under the digest of what it holds even if files changed in between. It covers names, types, modes,
 * owners (unless the tree resets them), contents, and which files of a snapshot are one inode; never times, nor what a single file is called that the step
 * names itself: that is another part of its key.
 */
export class SelectionSum {
  readonly #sources = new Map<Selected, SourceSum>();
  readonly #listing: ListingEntry[] | undefined;

  /** @param listing gets every entry, for explanations */
  constructor(listing?: ListingEntry[]) {
    this.#listing = listing;
  }

  add(selected: Selected, entry: WalkEntry, content: EntryContent): void {
    let source = this.#sources.get(selected);
    if (source === undefined) this.#sources.set(selected, (source = new SourceSum()));
    const { stats } = entry;
    const { tree } = selected;
    const path = hasOwnName(selected) ? '' : entry.path;
    const kind = kindOf(entry);
    const mode = kind === 'l' ? '' : modeIn(tree, stats).toString(8);
    const owner = tree.resetOwner ? '0:0' : `${stats.uid}:${stats.gid}`;
    source.add(`${path}\0${kind} ${mode} ${owner} ${content}\0`, tree.resetOwner ? undefined : inodeOf(entry));
    this.#listing?.push({ path: pathInTree(selected, entry.path), kind, mode, owner, content });
  }

  /**
   * @param sources all that is selected, in order, also what nothing was added of
   * @param shown whether a snapshot's folder counts itself, and not only what is in it
   */
  digest(sources: readonly Selected[], { shown = false } = {}): string {
    const sum = createHash('sha256').update(`${selectionForm}\0`);
    const names = new Map<string, string[]>();
    for (const [index, selected] of sources.entries()) {
      const source = this.#sources.get(selected);
      const head = selected.stats.isDirectory()
        ? `folder${shown ? shownAs(selected) : ''}\0`
        : `${fileHead(selected)}\0`;
      sum.update(`${head}${source?.digest() ?? ''}\0`, 'latin1');
      for (const [inode, ordinal] of source?.linked ?? []) {
        names.set(inode, [...(names.get(inode) ?? []), `${index}.${ordinal}`]);
      }
    }
    // An inode of which only one name is selected makes the same layer as a file with one name.
    for (const places of names.values()) if (places.length > 1) sum.update(`${places.join('=')}\0`);
    return sum.digest('hex');
  }
}

class SourceSum {
  readonly #sum: Hash = createHash('sha256');
  /** Inodes with several names, and which entry they are here. */
  readonly linked: [inode: string, ordinal: number][] = [];
  #pending = '';
  #count = 0;

  add(text: string, inode: string | undefined): void {
    if (inode !== undefined) this.linked.push([inode, this.#count]);
    this.#count += 1;
    this.#pending += text;
    if (this.#pending.length >= flushAt) this.#flush();
  }

  #flush(): void {
    this.#sum.update(this.#pending, 'latin1');
    this.#pending = '';
  }

  digest(): string {
    this.#flush();
    return this.#sum.copy().digest('hex');
  }
}

function hasOwnName({ plain, stats }: Selected): boolean {
  return plain === true && !stats.isDirectory();
}

/** ADD unpacks archives of a context, but what was fetched only where that is said. */
function fileHead(selected: Selected): string {
  return `${selected.fetched === true ? 'fetched' : 'file'} ${hasOwnName(selected) ? '' : selected.name}`;
}

/** Of a context a copy is shown, whose folder is always the same. */
function shownAs({ tree, stats }: Selected): string {
  return tree.resetOwner ? '' : ` ${modeIn(tree, stats).toString(8)} ${stats.uid}:${stats.gid}`;
}

function kindOf({ stats }: WalkEntry): ListingEntry['kind'] {
  if (stats.isFile()) return 'f';
  if (stats.isDirectory()) return 'd';
  return stats.isSymbolicLink() ? 'l' : 's';
}

function inodeOf({ stats }: WalkEntry): string | undefined {
  return stats.nlink < 2 || stats.isDirectory() ? undefined : `${stats.dev}:${stats.ino}`;
}

function pathInTree(selected: Selected, path: BytePath): string {
  return textOf(selected.stats.isDirectory() ? joinBytes(selected.path, path) : selected.path);
}
