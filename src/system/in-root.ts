import fs from 'node:fs';
import { SystemError } from './error.ts';
import { errnoOf, isErrno, O_PATH, RootWalk, walkError } from './root-walk.ts';
import type { BytePath } from './syscalls.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_RDONLY } = fs.constants;

export interface ResolveInRootOptions {
  /** Whether a link that is the last component is followed. */
  readonly followFinal: boolean;
}

/** A place in a root. Close it: it holds an open folder. */
export interface PlaceInRoot extends Disposable {
  /**
   * `/proc/self/fd/N/name`, or `/proc/self/fd/N/.` for the root and paths that end in `..`; good until closed. The name
   * need not exist. Calls on it must not follow a final link (lstat, lchown, O_NOFOLLOW): it may have been swapped since.
   */
  readonly place: Buffer;
  /** The same from the root, without links, dots or a slash in front; empty for the root. */
  readonly path: Buffer;
}

/**
 * Finds a place in a tree that nobody vouches for: links count from `root` and lead nowhere out of it, `..` stops at it.
 * @param root a trusted path; @param path with or without a slash in front.
 * @throws SystemError SYSCALL_FAILED with ENOENT where a folder on the way is missing, ENOTDIR, ELOOP
 */
export function resolveInRoot(root: string, path: BytePath, options: ResolveInRootOptions): PlaceInRoot {
  const walk = openWalk(root, path);
  try {
    walk.go(path, { final: options.followFinal ? 'follow' : 'keep' });
    return walk;
  } catch (error) {
    walk[Symbol.dispose]();
    throw error;
  }
}

export interface OpenInRootOptions extends ResolveInRootOptions {
  /** Flags of open(2); read-only unless given. O_NOFOLLOW, O_NONBLOCK and O_NOCTTY are added. */
  readonly flags?: number;
  /** Mode of a file that O_CREAT makes; 0o600 unless given. */
  readonly mode?: number;
}

/**
 * Opens what lies at a path in such a tree; the caller closes the descriptor. Opening some device nodes has effects of its
 * own: open with O_PATH and look first where a stranger chooses the path.
 * @throws SystemError SYSCALL_FAILED as `resolveInRoot` and open(2) do; ELOOP also for a final link that is not followed
 */
export function openInRoot(root: string, path: BytePath, options: OpenInRootOptions): number {
  const flags = (options.flags ?? O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  // Found not to be a link, then swapped for one: look again, not for ever.
  for (let attempt = 1; ; attempt++) {
    const found = resolveInRoot(root, path, options);
    try {
      const fd = fs.openSync(found.place, flags, options.mode ?? 0o600);
      if (!options.followFinal || (flags & O_PATH) === 0 || !fs.fstatSync(fd).isSymbolicLink()) return fd;
      fs.closeSync(fd);
      if (attempt === 40) throw walkError('ELOOP', path);
    } catch (error) {
      if (!options.followFinal || attempt === 40 || !isErrno(error, 'ELOOP')) throw asWalkError(error, path);
    } finally {
      found[Symbol.dispose]();
    }
  }
}

/**
 * All bytes of a regular file in such a tree, links followed; undefined: there is none. A FIFO or a device is an error, and
 * is not opened.
 * @throws SystemError SYSCALL_FAILED with EFBIG above `maxBytes`, EISDIR, EINVAL for what is no file, ELOOP
 */
export function readFileInRoot(root: string, path: BytePath, maxBytes: number): Buffer | undefined {
  let found: number;
  try {
    found = openInRoot(root, path, { flags: O_PATH, followFinal: true });
  } catch (error) {
    if (error instanceof SystemError && (error.errno === 'ENOENT' || error.errno === 'ENOTDIR')) return undefined;
    throw error;
  }
  try {
    const stats = fs.fstatSync(found);
    if (!stats.isFile()) throw walkError(stats.isDirectory() ? 'EISDIR' : 'EINVAL', path);
    // The file that was looked at, whatever bears its name by now.
    const fd = fs.openSync(`/proc/self/fd/${found}`, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    try {
      return readAll(fd, path, maxBytes);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    throw asWalkError(error, path);
  } finally {
    fs.closeSync(found);
  }
}

export interface MakeDirsOptions {
  /** Of made folders, whatever the umask. */
  readonly mode: number;
  /** Owner of made folders; unless given, they are this process's. */
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Makes a folder in such a tree, with missing ones on the way; also where links on the way lead to missing folders. What is
 * there stays as it is.
 * @returns the folders that were made, from the root, uppermost first.
 * @throws SystemError SYSCALL_FAILED with ENOTDIR where something else is in the way
 */
export function makeDirsInRoot(root: string, path: BytePath, options: MakeDirsOptions): readonly Buffer[] {
  const made: Buffer[] = [];
  const walk = openWalk(root, path);
  try {
    walk.go(path, {
      final: 'enter',
      makeFolder(place, madePath) {
        fs.mkdirSync(place, { mode: 0o700 });
        made.push(madePath);
        dress(place, options);
      },
    });
  } finally {
    walk[Symbol.dispose]();
  }
  return made;
}

/** Sets owner and mode through a descriptor: the name may be somebody else's by now. */
function dress(place: Buffer, options: MakeDirsOptions): void {
  const fd = fs.openSync(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    if (options.uid !== undefined || options.gid !== undefined) {
      fs.fchownSync(fd, options.uid ?? process.geteuid?.() ?? 0, options.gid ?? process.getegid?.() ?? 0);
    }
    fs.fchmodSync(fd, options.mode); // after chown, which clears the set-id bits
  } finally {
    fs.closeSync(fd);
  }
}

/** The size that fstat tells may grow while it is read, so it is the read that is bounded. */
function readAll(fd: number, path: BytePath, maxBytes: number): Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.min(65536, maxBytes + 1 - size));
    const length = fs.readSync(fd, chunk);
    if (length === 0) return Buffer.concat(chunks);
    size += length;
    if (size > maxBytes) throw walkError('EFBIG', path);
    chunks.push(chunk.subarray(0, length));
  }
}

function openWalk(root: string, path: BytePath): RootWalk {
  try {
    return new RootWalk(root);
  } catch (error) {
    throw walkError(errnoOf(error), path, error);
  }
}

function asWalkError(error: unknown, path: BytePath): SystemError {
  return error instanceof SystemError ? error : walkError(errnoOf(error), path, error);
}
