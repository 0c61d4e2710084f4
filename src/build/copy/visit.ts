import { closeSync } from 'node:fs';
import type { IgnoreMatcher } from '../../dockerfile/index.ts';
import type { Selected } from './select.ts';
import { judgePath } from './select.ts';
import { type BytePath, joinBytes, locate, openFolder, textOf } from './tree.ts';
import { type Verdict, type WalkEntry, walkFolder } from './walk.ts';

export interface Visit {
  /** `--exclude`: patterns relative to the source. */
  readonly exclude?: IgnoreMatcher | undefined;
  enter(entry: WalkEntry): void;
  leave?(entry: WalkEntry): void;
}

/**
 * Visits what a selected source stands for: a folder's contents (paths relative to it), or one file whose path is its name.
 * What .dockerignore, `--exclude` or `--parents` leave out is not visited.
 */
export function visitSelected(selected: Selected, visit: Visit): void {
  if (!selected.stats.isDirectory()) {
    if (isExcluded(selected, visit.exclude)) return;
    visit.enter({ path: selected.name, at: locate(selected.tree.root, selected.path), stats: selected.stats });
    return;
  }
  const fd = openFolder(selected.tree.root, selected.path);
  try {
    walkFolder(fd, { ...visit, judge: (path) => judge(selected, visit.exclude, path) });
  } finally {
    closeSync(fd);
  }
}

/** Whether `--exclude` leaves out a selected file. */
export function isExcluded(selected: Selected, exclude: IgnoreMatcher | undefined): boolean {
  return exclude !== undefined && judgePath(exclude, selected.name) !== 'take';
}

function judge(selected: Selected, exclude: IgnoreMatcher | undefined, path: BytePath): Verdict {
  const verdicts: Verdict[] = [];
  if (selected.tree.ignore !== undefined)
    verdicts.push(judgePath(selected.tree.ignore, joinBytes(selected.path, path)));
  if (exclude !== undefined) verdicts.push(judgePath(exclude, path));
  if (selected.include !== undefined) verdicts.push(selected.include.matches(textOf(path)) ? 'take' : 'pass');
  return verdicts.includes('skip') ? 'skip' : verdicts.includes('pass') ? 'pass' : 'take';
}
