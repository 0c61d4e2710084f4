/** One selected file, as a content digest sees it. */
export interface ListingEntry {
  /** In its tree. */
  readonly path: string;
  /** File, folder, link, or something special. */
  readonly kind: 'f' | 'd' | 'l' | 's';
  /** Octal; empty for links. */
  readonly mode: string;
  /** `uid:gid` */
  readonly owner: string;
  /** sha256 of a file, target of a link, device of something special; empty for folders. */
  readonly content: string;
}

export interface Listing {
  readonly entries: readonly ListingEntry[];
  /** False: there were more than are kept, so that what is missing here may be there. */
  readonly complete: boolean;
}

/** One difference between two selections. */
export interface ListingChange {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'content' | 'mode' | 'owner' | 'kind';
  /** What it was and is: a digest (`sha256:…`), a link's target, a mode, an owner, a word for its kind. */
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

export interface ListingDifference {
  readonly changes: readonly ListingChange[];
  /** How many more differ. */
  readonly more: number;
}

/**
 * Names what differs between two selections, changed files first, then added and removed ones, in order of their paths.
 * @param limit most changes that are named
 */
export function compareListings(old: Listing, current: Listing, limit = 10): ListingDifference {
  const before = byPath(old);
  const after = byPath(current);
  const changed = [...after].flatMap(([path, entry]) => {
    const was = before.get(path);
    return was === undefined ? [] : changesOf(was, entry);
  });
  const added = old.complete ? [...after.keys()].filter((path) => !before.has(path)) : [];
  const removed = current.complete ? [...before.keys()].filter((path) => !after.has(path)) : [];
  const all = [
    ...changed.toSorted(byPathOf),
    ...added.sort().map((path): ListingChange => ({ path, change: 'added', after: said(after.get(path)) })),
    ...removed.sort().map((path): ListingChange => ({ path, change: 'removed', before: said(before.get(path)) })),
  ];
  return { changes: all.slice(0, limit), more: Math.max(0, all.length - limit) };
}

function byPath({ entries }: Listing): Map<string, ListingEntry> {
  return new Map(entries.map((entry) => [entry.path, entry]));
}

function byPathOf(a: ListingChange, b: ListingChange): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

const kindWords = { f: 'file', d: 'folder', l: 'link', s: 'special file' } as const;

function changesOf(was: ListingEntry, is: ListingEntry): ListingChange[] {
  const { path } = is;
  if (was.kind !== is.kind) return [{ path, change: 'kind', before: kindWords[was.kind], after: kindWords[is.kind] }];
  const changes: ListingChange[] = [];
  if (was.content !== is.content) changes.push({ path, change: 'content', before: said(was), after: said(is) });
  if (was.mode !== is.mode) changes.push({ path, change: 'mode', before: was.mode, after: is.mode });
  if (was.owner !== is.owner) changes.push({ path, change: 'owner', before: was.owner, after: is.owner });
  return changes;
}

/** What an entry holds, for people. */
function said(entry: ListingEntry | undefined): string | undefined {
  if (entry === undefined || entry.kind === 'd') return undefined;
  if (entry.kind === 'f') return `sha256:${entry.content}`;
  return entry.kind === 'l' ? Buffer.from(entry.content, 'latin1').toString('utf8') : entry.content;
}
