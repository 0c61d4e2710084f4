import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import type { IgnoreMatcher } from '../../dockerfile/index.ts';
import { FileStats, openIn } from '../../system/index.ts';
import { BuildError } from '../error.ts';
import type { TreeIndex } from './tree-index.ts';

/**
 * Paths in this folder are byte strings: one character per byte (latin1), components joined by `/`, no leading slash, `''` for
 * the root. Names in images need not be UTF-8.
 */
export type BytePath = string;

/** A tree to copy from: the build context, a named context, or a mounted snapshot. */
export interface SourceTree {
  /** Absolute path of its root folder on this machine. */
  readonly root: string;
  /** `.dockerignore`: what it excludes is not there. */
  readonly ignore?: IgnoreMatcher | undefined;
  /** Contexts belong to whoever checked them out: in the image their files are root's. */
  readonly resetOwner: boolean;
  /** How modes are taken: as they are, unless given. */
  readonly modes?: ContextModes | undefined;
  /** What this build has seen of the folder already. Only for digests: who copies reads the files themselves. */
  readonly index?: TreeIndex | undefined;
  /** For messages: `the build context`. */
  readonly label: string;
}

/** `git`: as git keeps them, 0755 or 0644 for files by their owner's execute bit, 0755 for folders, whatever the umask of a clone. */
export type ContextModes = 'git';

/** The permissions that a file of `tree` has for COPY. */
export function modeIn(tree: SourceTree, stats: FileStats): number {
  if (tree.modes === undefined || stats.isSymbolicLink()) return stats.mode & 0o7777;
  return stats.isDirectory() || (stats.mode & 0o100) !== 0 ? 0o755 : 0o644;
}

const maxLinks = 40;

/** The path of a text, in UTF-8. */
export function bytesOf(text: string): BytePath {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** A path for people: what is no UTF-8 is replaced. */
export function textOf(path: BytePath): string {
  return /[\u0080-\u00ff]/.test(path) ? Buffer.from(path, 'latin1').toString('utf8') : path;
}

export function joinBytes(folder: BytePath, name: BytePath): BytePath {
  return folder === '' ? name : name === '' ? folder : `${folder}/${name}`;
}

/** The names of a path, from the root on; empty ones and `.` left out. */
export function componentsOf(path: BytePath): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** The path for a system call: `root` is text, the rest bytes. */
export function locate(root: string, path: BytePath): Buffer {
  return Buffer.concat([Buffer.from(root), Buffer.from(path === '' ? '' : `/${path}`, 'latin1')]);
}

/** A path as text, for those who take no bytes. Undefined where that would be another path: it is not UTF-8. */
export function exactText(path: Buffer): string | undefined {
  const text = path.toString('utf8');
  return Buffer.from(text).equals(path) ? text : undefined;
}

export interface Found {
  /** Where it really is: no component is a link. */
  readonly path: BytePath;
  readonly stats: FileStats;
}

/**
 * Follows `path` inside `root`, links included (`..` and absolute targets stay inside). undefined where nothing is there.
 * @throws BuildError COPY_CONFLICT for more than 40 links
 */
export function followInRoot(root: string, path: BytePath): Found | undefined {
  const resolved = resolveInRoot(root, path);
  return resolved.stats === undefined ? undefined : { path: resolved.path, stats: resolved.stats };
}

/** As `followInRoot`, but a missing tail is kept as it is written: where something new would be made. */
export function resolveInRoot(root: string, path: BytePath): { path: BytePath; stats: FileStats | undefined } {
  const pending = componentsOf(path).reverse();
  let at: string[] = [];
  let links = 0;
  let stats = FileStats.of(root);
  while (pending.length > 0) {
    const part = pending.pop() as string;
    if (part === '..') {
      at.pop();
      stats = statAt(root, at.join('/'));
      continue;
    }
    const next = joinBytes(at.join('/'), part);
    stats = statAt(root, next);
    if (stats?.isSymbolicLink()) {
      if (++links > maxLinks)
        throw new BuildError('COPY_CONFLICT', `too many symbolic links on the way to ${textOf(path)}`);
      const target = readlinkSync(locate(root, next), { encoding: 'buffer' }).toString('latin1');
      if (target.startsWith('/')) at = [];
      pending.push(...componentsOf(target).reverse());
      stats = statAt(root, at.join('/'));
      continue;
    }
    at.push(part);
  }
  return { path: at.join('/'), stats };
}

/** Stats of what must be there. */
export function statsOf(path: Buffer | string): FileStats {
  const stats = FileStats.of(path);
  if (stats === undefined) throw new BuildError('SOURCE_NOT_FOUND', `${path.toString()} is gone`);
  return stats;
}

function statAt(root: string, path: BytePath): FileStats | undefined {
  return FileStats.of(locate(root, path));
}

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** O_PATH, which Node does not name: enough to find what is in a folder, and wants no right to list it. */
const onlyToFind = 0o10000000;

/**
 * Opens the folder at `path` (free of links, from `followInRoot`) one component at a time, so that nobody who changes the tree
 * meanwhile can lead us out of it. The caller closes the descriptor.
 */
export function openFolder(root: string, path: BytePath): number {
  return openFolderWith(root, path, constants.O_RDONLY);
}

/** As `openFolder`, only to open what is in it by name: also where it may be searched, but not listed. */
export function openFolderToFind(root: string, path: BytePath): number {
  return openFolderWith(root, path, onlyToFind);
}

function openFolderWith(root: string, path: BytePath, flags: number): number {
  let fd = openSync(root, flags | constants.O_DIRECTORY);
  for (const part of componentsOf(path)) {
    try {
      const next = openSync(below(fd, part), folderFlags | flags);
      closeSync(fd);
      fd = next;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }
  return fd;
}

/** Opens a folder by its name in an open one, never through a link; the caller closes it. */
export function openFolderAt(parent: number, name: BytePath): number {
  return openSync(below(parent, name), folderFlags);
}

/** Path of `name` in the open folder `fd`. */
export function below(fd: number, name: BytePath): Buffer {
  return Buffer.from(`/proc/self/fd/${fd}/${name}`, 'latin1');
}

/** A link is not followed, and a pipe not waited for. */
export const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Opens a file by its name in an open folder, never a link that took its place, nor waiting where a pipe did. `closeIn` closes it. */
export function openToRead(folder: number, name: BytePath): number {
  return openIn(folder, name, { flags: readFlags });
}
