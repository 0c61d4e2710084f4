import { basename, join } from 'node:path';
import { digestSelection } from '../copy/digest.ts';
import { writeListing } from '../copy/listing-file.ts';
import type { ListingEntry } from '../copy/listing.ts';
import { type Selected, selectSources } from '../copy/select.ts';
import { StatCache } from '../copy/stat-cache.ts';
import { TreeIndex } from '../copy/tree-index.ts';
import { bytesOf, type SourceTree, statsOf } from '../copy/tree.ts';
import { createIgnoreMatcher, type IgnoreMatcher } from '../../dockerfile/index.ts';
import type { DigestJob, Selection, SourceRef, TreeRef } from '../workshop/jobs.ts';
import { OpenTrees } from './context.ts';

export interface OpenSelection {
  readonly sources: readonly Selected[];
  readonly exclude: IgnoreMatcher | undefined;
}

/** The content digest of a selection. */
export function digestJob(job: DigestJob): string {
  using trees = new OpenTrees(job.scratch);
  using indices = new Indices(job);
  const { sources, exclude } = openSelection(job.selection, trees, indices);
  const listing: ListingEntry[] | undefined = job.listing === undefined ? undefined : [];
  const digest = digestSelection(sources, { exclude, listing, shown: job.selection.shown });
  indices.save();
  // Files may have changed since the digest that the listing is called after was made.
  if (job.listing !== undefined && listing !== undefined && basename(job.listing) === digest)
    writeListing(job.listing, listing);
  return digest;
}

type ByRoot = Map<string, TreeIndex>;

/** What this thread has seen of contexts, for the builds that it works for, the last one last. */
const seen = new Map<string, ByRoot>();
const mostBuilds = 3;

function seenFor(build: string | undefined): ByRoot {
  if (build === undefined) return new Map();
  const byRoot = seen.get(build) ?? new Map<string, TreeIndex>();
  seen.delete(build);
  seen.set(build, byRoot);
  for (const old of [...seen.keys()].slice(0, -mostBuilds)) seen.delete(old);
  return byRoot;
}

/** The indices of the contexts that one job reads. */
class Indices implements Disposable {
  readonly #job: DigestJob;
  readonly #byRoot: ByRoot;

  constructor(job: DigestJob) {
    this.#job = job;
    this.#byRoot = seenFor(job.build);
  }

  of(root: string): TreeIndex {
    let index = this.#byRoot.get(root);
    if (index === undefined) {
      const { statCache } = this.#job;
      index = new TreeIndex(root, statCache === undefined ? undefined : StatCache.open(statCache, root));
      this.#byRoot.set(root, index);
    }
    return index;
  }

  save(): void {
    for (const index of this.#byRoot.values()) index.save();
  }

  [Symbol.dispose](): void {
    for (const index of this.#byRoot.values()) index[Symbol.dispose]();
  }
}

/** Finds everything that a selection names; its trees stay open as long as `trees`. */
export function openSelection(selection: Selection, trees: OpenTrees, indices?: Indices): OpenSelection {
  const opened = new Map<TreeRef, SourceTree>();
  const open = (ref: TreeRef): SourceTree => {
    const tree = opened.get(ref) ?? openTree(ref, trees, indices);
    opened.set(ref, tree);
    return tree;
  };
  const sources = selection.sources.flatMap((source) => selectOne(source, selection.parents, open));
  return { sources, exclude: selection.exclude.length === 0 ? undefined : createIgnoreMatcher(selection.exclude) };
}

function selectOne(source: SourceRef, parents: boolean, open: (tree: TreeRef) => SourceTree): readonly Selected[] {
  if (source.kind === 'tree') return selectSources(open(source.tree), source.pattern, { parents });
  const name = bytesOf(source.name);
  const tree: SourceTree = { root: source.folder, resetOwner: true, label: 'the downloaded files' };
  return [{ tree, path: name, name, stats: statsOf(join(source.folder, source.name)), fetched: true }];
}

/** A tree that sources are selected in, with what is left out of it. */
export function openTree(ref: TreeRef, trees: OpenTrees, indices?: Indices): SourceTree {
  const root = trees.open(ref.root);
  return {
    root,
    ignore: ref.ignore === undefined || ref.ignore.length === 0 ? undefined : createIgnoreMatcher(ref.ignore),
    resetOwner: ref.resetOwner,
    modes: ref.modes,
    index: ref.root.kind === 'directory' && ref.resetOwner ? indices?.of(root) : undefined,
    label: ref.label,
  };
}
