import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { digestSelection } from '../copy/digest.ts';
import { type Selected, selectSources } from '../copy/select.ts';
import { bytesOf, type SourceTree } from '../copy/tree.ts';
import { createIgnoreMatcher, type IgnoreMatcher } from '../../dockerfile/index.ts';
import type { DigestJob, Selection, SourceRef, TreeRef } from '../jobs.ts';
import { OpenTrees } from './context.ts';

export interface OpenSelection {
  readonly sources: readonly Selected[];
  readonly exclude: IgnoreMatcher | undefined;
}

/** The content digest of a selection. */
export function digestJob(job: DigestJob): string {
  using trees = new OpenTrees(job.scratch);
  const { sources, exclude } = openSelection(job.selection, trees);
  return digestSelection(sources, exclude);
}

/** Finds everything that a selection names; its trees stay open as long as `trees`. */
export function openSelection(selection: Selection, trees: OpenTrees): OpenSelection {
  const opened = new Map<TreeRef, SourceTree>();
  const sources = selection.sources.flatMap((source) =>
    selectOne(source, selection.parents, (ref) => openTree(ref, trees, opened)),
  );
  return { sources, exclude: selection.exclude.length === 0 ? undefined : createIgnoreMatcher(selection.exclude) };
}

function selectOne(source: SourceRef, parents: boolean, open: (tree: TreeRef) => SourceTree): readonly Selected[] {
  if (source.kind === 'tree') return selectSources(open(source.tree), source.pattern, { parents });
  const name = bytesOf(source.name);
  const tree: SourceTree = { root: source.folder, resetOwner: true, label: 'the downloaded files' };
  return [{ tree, path: name, name, stats: lstatSync(join(source.folder, source.name)) }];
}

export function openTree(ref: TreeRef, trees: OpenTrees, opened = new Map<TreeRef, SourceTree>()): SourceTree {
  const known = opened.get(ref);
  if (known !== undefined) return known;
  const tree: SourceTree = {
    root: trees.open(ref.root),
    ignore: ref.ignore === undefined || ref.ignore.length === 0 ? undefined : createIgnoreMatcher(ref.ignore),
    resetOwner: ref.resetOwner,
    label: ref.label,
  };
  opened.set(ref, tree);
  return tree;
}
