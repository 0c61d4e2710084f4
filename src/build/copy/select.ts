import { closeSync } from 'node:fs';
import { createGlobMatcher, createIgnoreMatcher, type IgnoreMatcher } from '../../dockerfile/index.ts';
import type { FileStats } from '../../system/index.ts';
import { BuildError } from '../error.ts';
import {
  type BytePath,
  bytesOf,
  componentsOf,
  followInRoot,
  joinBytes,
  openFolder,
  type SourceTree,
  textOf,
} from './tree.ts';
import { namesIn, type Verdict } from './walk.ts';

/** One thing that COPY or ADD takes from a tree. */
export interface Selected {
  readonly tree: SourceTree;
  /** Where it is in the tree, free of links. */
  readonly path: BytePath;
  /** Its name in the destination folder: as written, before links were followed. */
  readonly name: BytePath;
  readonly stats: FileStats;
  /** The build itself fetched or wrote it: ADD unpacks it only where it is told to. */
  readonly fetched?: boolean | undefined;
  /** Named by a path, not found by a wildcard: what it is called is known without looking. */
  readonly plain?: boolean | undefined;
  /** `--parents`: only what this matches, kept with its path; `path` is then the folder that paths are relative to. */
  readonly include?: IgnoreMatcher | undefined;
}

export interface SelectOptions {
  readonly parents: boolean;
}

/**
 * What `pattern` stands for in `tree`: Go's filepath.Match per component, links followed inside the tree. A pattern without
 * matches selects nothing; a plain path that is not there is an error, as in BuildKit.
 * @throws BuildError SOURCE_NOT_FOUND
 */
export function selectSources(tree: SourceTree, pattern: string, options: SelectOptions): readonly Selected[] {
  if (options.parents) return selectWithParents(tree, pattern);
  const parts = cleanParts(bytesOf(pattern));
  const wild = parts.findIndex(isWild);
  if (wild < 0) return [selectPlain(tree, parts, pattern)];
  return expand(tree, parts.slice(0, wild).join('/'), parts.slice(wild));
}

/** `..` cannot lead above the tree's root. */
function cleanParts(path: BytePath): string[] {
  const parts: string[] = [];
  for (const part of componentsOf(path)) {
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts;
}

function isWild(part: string): boolean {
  return /[*?[]/.test(part);
}

function selectPlain(tree: SourceTree, parts: readonly string[], pattern: string): Selected {
  const path = parts.join('/');
  const found = visible(tree, path) ? followInRoot(tree.root, unescape(path)) : undefined;
  if (found === undefined || !visible(tree, found.path)) throw notFound(tree, pattern, path);
  return { tree, path: found.path, name: nameOf(parts), stats: found.stats, plain: true };
}

function nameOf(parts: readonly string[]): BytePath {
  return unescape(parts.at(-1) ?? '');
}

/** What a source without wildcards is called where it goes into a folder; undefined: it has some. */
export function plainNameOf(pattern: string): string | undefined {
  const parts = cleanParts(bytesOf(pattern));
  return parts.some(isWild) ? undefined : textOf(nameOf(parts));
}

function unescape(path: BytePath): BytePath {
  return path.replace(/\\(.)/g, '$1');
}

function notFound(tree: SourceTree, pattern: string, path: BytePath): BuildError {
  const ignored = tree.ignore !== undefined && followInRoot(tree.root, path) !== undefined;
  return new BuildError('SOURCE_NOT_FOUND', `"/${textOf(path)}": not found in ${tree.label}`, {
    hint: ignored
      ? `it is there, but .dockerignore excludes it: add a line "!${textOf(path)}"`
      : pattern.replace(/^\//, '') === path
        ? undefined
        : `the source was written as ${JSON.stringify(pattern)}`,
  });
}

/** Whether a path of the tree is there for COPY: not excluded, or a folder in which something is not. */
function visible(tree: SourceTree, path: BytePath): boolean {
  return path === '' || tree.ignore === undefined || judgePath(tree.ignore, path) !== 'skip';
}

/** What .dockerignore says of a path: `pass` is a folder that is excluded though something in it may not be. */
export function judgePath(ignore: IgnoreMatcher, path: BytePath): Verdict {
  const text = textOf(path);
  if (!ignore.matches(text)) return 'take';
  return ignore.mayHaveIncluded(text) ? 'pass' : 'skip';
}

/** Expands the wildcard components below `base`; links are followed up to the first wildcard and for what is found. */
function expand(tree: SourceTree, base: BytePath, parts: readonly string[]): Selected[] {
  const start = followInRoot(tree.root, base);
  if (start === undefined || !start.stats.isDirectory()) return [];
  let folders = [start.path];
  let names: BytePath[] = [];
  for (const [depth, part] of parts.entries()) {
    const matches = createGlobMatcher(textOf(part));
    names = folders.flatMap((folder) =>
      namesAt(tree, folder)
        .filter((name) => matches(textOf(name)))
        .map((name) => joinBytes(folder, name)),
    );
    if (depth < parts.length - 1) folders = names.filter((path) => followInRoot(tree.root, path)?.path === path);
  }
  return names.filter((path) => visible(tree, path)).flatMap((path) => selectFound(tree, path));
}

function namesAt(tree: SourceTree, folder: BytePath): BytePath[] {
  const found = followInRoot(tree.root, folder);
  if (found === undefined || !found.stats.isDirectory()) return [];
  const fd = openFolder(tree.root, found.path);
  try {
    return namesIn(fd);
  } finally {
    closeSync(fd);
  }
}

function selectFound(tree: SourceTree, path: BytePath): Selected[] {
  const found = followInRoot(tree.root, path);
  if (found === undefined || !visible(tree, found.path)) return []; // a link to what is not there
  return [{ tree, path: found.path, name: path.slice(path.lastIndexOf('/') + 1), stats: found.stats }];
}

/** `--parents`: what follows `/./` is kept as a path below the destination. */
function selectWithParents(tree: SourceTree, pattern: string): Selected[] {
  const bytes = bytesOf(pattern);
  const pivot = `/${bytes}`.indexOf('/./');
  const basePath = pivot < 0 ? '' : cleanParts(bytes.slice(0, pivot)).join('/');
  const kept = cleanParts(pivot < 0 ? bytes : bytes.slice(pivot + 2));
  const base = followInRoot(tree.root, basePath);
  if (base === undefined) throw notFound(tree, pattern, basePath);
  const wild = kept.some(isWild);
  const path = joinBytes(base.path, kept.join('/'));
  if (!wild && (!visible(tree, path) || followInRoot(tree.root, path) === undefined))
    throw notFound(tree, pattern, path);
  const include = kept.length === 0 ? undefined : createIgnoreMatcher([textOf(kept.join('/'))]);
  return [{ tree, path: base.path, name: '', stats: base.stats, include }];
}
