import type { IgnoreMatcher } from '../../dockerfile/index.ts';
import type { Selected } from './select.ts';
import { judgePath } from './select.ts';
import { type BytePath, joinBytes, textOf } from './tree.ts';
import { ChildOfRoot, OpenFolder, type Verdict, type WalkEntry, walkFolder } from './walk.ts';

export interface Visit {
  /** `--exclude`: patterns relative to the source. */
  readonly exclude?: IgnoreMatcher | undefined;
  enter(entry: WalkEntry): void;
  leave?(entry: WalkEntry): void;
}

/**
 * Visits what a selected source stands for: a folder's contents (paths relative to it), or one file whose path is its name.
 * What .dockerignore, `--exclude` or `--parents` leave out is not visited, nor are sockets, which no layer can hold.
 */
export function visitSelected(selected: Selected, visit: Visit): void {
  const enter = (entry: WalkEntry): void => {
    if (!entry.stats.isSocket()) visit.enter(entry);
  };
  const { tree, path, name, stats } = selected;
  if (!stats.isDirectory()) {
    if (isExcluded(selected, visit.exclude)) return;
    return enter({ path: name, child: new ChildOfRoot(tree.root, path, { name, stats }), stats });
  }
  using folder = tree.index?.folder(path) ?? OpenFolder.at(tree.root, path);
  walkFolder(folder, { ...visit, enter, judge: (at) => judge(selected, visit.exclude, at) });
}

/** Whether `--exclude` leaves out a selected file. */
export function isExcluded(selected: Selected, exclude: IgnoreMatcher | undefined): boolean {
  return exclude !== undefined && judgePath(exclude, selected.name) !== 'take';
}

function judge(selected: Selected, exclude: IgnoreMatcher | undefined, path: BytePath): Verdict {
  let worst: Verdict = 'take';
  const { ignore } = selected.tree;
  if (ignore !== undefined) worst = judgePath(ignore, joinBytes(selected.path, path));
  if (worst !== 'skip' && exclude !== undefined) worst = worse(worst, judgePath(exclude, path));
  if (worst !== 'take' || selected.include === undefined) return worst;
  return selected.include.matches(textOf(path)) ? 'take' : 'pass';
}

function worse(a: Verdict, b: Verdict): Verdict {
  return a === 'skip' || b === 'skip' ? 'skip' : a === 'pass' || b === 'pass' ? 'pass' : 'take';
}
