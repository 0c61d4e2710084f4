import fs from 'node:fs';
import { SystemError } from './error.ts';
import { printablePath } from './printable-path.ts';
import type { BytePath } from './syscalls.ts';

/** Not among Node's constants; the same on every architecture that we run on. */
export const O_PATH = 0o10000000;

const { O_DIRECTORY, O_NOFOLLOW } = fs.constants;
const mostHops = 40; // MAXSYMLINKS of the kernel
const hopsOfDoubt = 10;
const dot = Buffer.from('.');
const dotDot = Buffer.from('..');
const slash = 0x2f;

/** What to do about the last component, and about what is not there. */
export interface WalkRules {
  /**
   * - `keep`: stop before the last component, whatever it is.
   * - `follow`: the same, after following it where it is a link.
   * - `enter`: go into it, too; it must be a folder.
   */
  readonly final: 'keep' | 'follow' | 'enter';
  /** Makes a missing folder on the way, given its place and its path from the root. Unless given, that is an error. */
  readonly makeFolder?: (place: Buffer, path: Buffer) => void;
}

/**
 * A way through a tree that nobody vouches for, and that others may change meanwhile. Each folder is opened from the one before
 * it through /proc/self/fd with O_NOFOLLOW; links are read and walked here, absolute ones from the root; `..` goes back to
 * the folder we came from and stops at the root. So no link and no swapped folder leads out.
 */
export class RootWalk implements Disposable {
  readonly #fds: number[];
  readonly #names: Buffer[] = [];
  #last: Buffer | undefined;

  constructor(root: string) {
    this.#fds = [fs.openSync(root, O_PATH | O_DIRECTORY)];
  }

  /** The folder reached. */
  get fd(): number {
    const fd = this.#fds.at(-1);
    if (fd === undefined) throw new Error('the walk is closed');
    return fd;
  }

  /**
   * Where the walk ended, safe for calls that do not follow a final link: `/proc/self/fd/N/name`, or `/proc/self/fd/N/.`
   * for the folder reached itself.
   */
  get place(): Buffer {
    return this.#at(this.#last ?? dot);
  }

  /** The same as seen from the root: no links, no `.` or `..`, no slash in front; empty for the root. */
  get path(): Buffer {
    const names = this.#last === undefined ? this.#names : [...this.#names, this.#last];
    return joined(names);
  }

  /** @throws SystemError SYSCALL_FAILED with ENOENT, ENOTDIR, ELOOP, EINVAL, EACCES… */
  go(path: BytePath, rules: WalkRules): void {
    const bytes = typeof path === 'string' ? Buffer.from(path) : path;
    if (bytes.includes(0)) throw walkError('EINVAL', path);
    // A slash at the end asks for what a link points to.
    const follow = rules.final !== 'keep' || bytes.at(-1) === slash;
    const pending = componentsOf(bytes).reverse();
    let hops = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name.equals(dot)) continue;
      if (name.equals(dotDot)) {
        this.#ascend(Math.max(1, this.#fds.length - 1));
        continue;
      }
      const isLast = pending.length === 0 && rules.final !== 'enter';
      if (!isLast && this.#enter(name, path)) continue;
      const link = isLast && !follow ? 'other' : this.#readLink(name, path);
      if (typeof link === 'object') {
        if (++hops > mostHops) throw walkError('ELOOP', path);
        if (link[0] === slash) this.#ascend(1);
        pending.push(...componentsOf(link).reverse());
      } else if (isLast) {
        this.#last = name;
      } else {
        // A file; or swapped under us, which is worth another look, but not for ever; or made just now.
        if (link === 'other' || !this.#make(name, path, rules)) hops += hopsOfDoubt;
        if (hops > mostHops) throw walkError('ENOTDIR', path);
        pending.push(name);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#ascend(0);
  }

  #at(name: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`/proc/self/fd/${this.fd}/`), name]);
  }

  /** Closes all but the first `kept` folders. */
  #ascend(kept: number): void {
    while (this.#fds.length > kept) {
      this.#names.pop();
      fs.closeSync(this.#fds.pop() ?? -1);
    }
  }

  /** False: it is no folder, or not there. */
  #enter(name: Buffer, path: BytePath): boolean {
    try {
      this.#fds.push(fs.openSync(this.#at(name), O_PATH | O_NOFOLLOW | O_DIRECTORY));
      this.#names.push(name);
      return true;
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return false;
      throw walkError(errnoOf(error), path, error);
    }
  }

  #readLink(name: Buffer, path: BytePath): Buffer | 'missing' | 'other' {
    try {
      return fs.readlinkSync(this.#at(name), { encoding: 'buffer' });
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return 'missing';
      if (isErrno(error, 'EINVAL')) return 'other';
      throw walkError(errnoOf(error), path, error);
    }
  }

  /** False: something came there in between. */
  #make(name: Buffer, path: BytePath, rules: WalkRules): boolean {
    if (rules.makeFolder === undefined) throw walkError('ENOENT', path);
    try {
      rules.makeFolder(this.#at(name), joined([...this.#names, name]));
      return true;
    } catch (error) {
      if (isErrno(error, 'EEXIST')) return false;
      throw walkError(errnoOf(error), path, error);
    }
  }
}

export function walkError(errno: string, path: BytePath, cause?: unknown): SystemError {
  return new SystemError('SYSCALL_FAILED', `${printablePath(path)} in a root: ${errno}`, { errno, cause });
}

/** The name of the error of an fs call. */
export function errnoOf(error: unknown): string {
  const known = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string';
  return known ? String(error.code) : 'EIO';
}

export function isErrno(error: unknown, ...names: readonly string[]): boolean {
  return names.includes(errnoOf(error));
}

function componentsOf(path: Buffer): Buffer[] {
  const components: Buffer[] = [];
  for (let start = 0; start <= path.length; ) {
    const found = path.indexOf(slash, start);
    const end = found === -1 ? path.length : found;
    if (end > start) components.push(path.subarray(start, end));
    start = end + 1;
  }
  return components;
}

function joined(names: readonly Buffer[]): Buffer {
  return Buffer.concat(names.flatMap((name, index) => (index === 0 ? [name] : [Buffer.from('/'), name])));
}
