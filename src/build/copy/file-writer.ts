import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fchmodSync, fchownSync, ftruncateSync, futimesSync, readSync } from 'node:fs';
import { closeIn, ContentCopier, FileStats, openIn, type Privileges, writeFully } from '../../system/index.ts';
import { updateInSlices } from './digest.ts';
import { type BytePath, openFolder } from './tree.ts';
import type { Child } from './walk.ts';

/** What a copied file gets beside its content. */
export interface FileAttributes {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** Seconds since 1970. */
  readonly time: number;
}

/** Says what a file that looks like this holds, where that is known. */
export type KnownContent = (stats: FileStats) => string | undefined;

const makeFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
const buffer = Buffer.allocUnsafeSlow(1 << 20);

/**
 * Makes files in a root. They are named in the folder that is open from the last one, and get their attributes by descriptors: that
 * takes half the time of paths.
 */
export class FileWriter implements Disposable {
  readonly #root: string;
  readonly #setsOwners: boolean;
  readonly #contents = new ContentCopier();
  #folder: { readonly path: BytePath; readonly fd: number } | undefined;

  /** @param root absolute path */
  constructor(root: string, privileges: Privileges) {
    this.#root = root;
    this.#setsOwners = privileges.kind !== 'single';
  }

  /**
   * Copies a regular file to `target`, where nothing is, in a folder whose path is free of links. With `known` it tells the sha256 of
   * what it copied, else nothing.
   */
  copy(source: Child, target: BytePath, attributes: FileAttributes, known?: KnownContent): string {
    const from = source.open();
    try {
      const slash = target.lastIndexOf('/');
      const folder = this.#open(target.slice(0, Math.max(0, slash)));
      const to = openIn(folder, target.slice(slash + 1), { flags: makeFlags, mode: attributes.mode & 0o777 });
      let digest: string;
      try {
        digest = known === undefined ? this.#copy(from, to, source.stats) : this.#copySummed(from, to, known);
        this.#finish(to, attributes);
      } catch (error) {
        tryClose(to);
        throw error;
      }
      closeIn(to);
      return digest;
    } finally {
      closeIn(from);
    }
  }

  #copy(from: number, to: number, { dev }: FileStats): '' {
    this.#contents.copy(from, to, dev);
    return '';
  }

  /** What the stats vouch for is not read, if they still do when it is copied. Else each byte is read once, hashed and written. */
  #copySummed(from: number, to: number, known: KnownContent): string {
    const stats = FileStats.ofOpen(from);
    const digest = known(stats);
    if (digest === undefined) return copyAndHash(from, to, stats.size);
    this.#contents.copy(from, to, stats.dev);
    if (known(FileStats.ofOpen(from)) === digest) return digest;
    ftruncateSync(to, 0);
    return copyAndHash(from, to, stats.size);
  }

  /** Owner first: changing it clears setuid and setgid. */
  #finish(to: number, { uid, gid, mode, time }: FileAttributes): void {
    const made = FileStats.ofOpen(to);
    const isOthers = this.#setsOwners && (made.uid !== uid || made.gid !== gid);
    if (isOthers) fchownSync(to, uid, gid);
    if (isOthers || (made.mode & 0o7777) !== mode) fchmodSync(to, mode);
    futimesSync(to, time, time);
  }

  /** An open folder; valid until another one is asked for. */
  #open(path: BytePath): number {
    if (this.#folder?.path === path) return this.#folder.fd;
    const fd = openFolder(this.#root, path);
    this[Symbol.dispose]();
    this.#folder = { path, fd };
    return fd;
  }

  /** A mount that this writes to cannot go before. */
  [Symbol.dispose](): void {
    if (this.#folder !== undefined) closeSync(this.#folder.fd);
    this.#folder = undefined;
  }
}

/** After another failure, which is the one to tell. */
function tryClose(fd: number): void {
  try {
    closeIn(fd);
  } catch {
    // the first error says enough
  }
}

/** Copies all of a file; tells the sha256 of what it wrote. `size` is what there should be. */
function copyAndHash(from: number, to: number, size: number): string {
  let length = readSync(from, buffer, 0, buffer.length, 0);
  let position = 0;
  const write = (): Buffer => {
    const bytes = buffer.subarray(0, length);
    writeFully(to, bytes, position);
    position += length;
    return bytes;
  };
  if (length < buffer.length && length >= size) return hash('sha256', write(), 'hex');
  const sum = createHash('sha256');
  for (; length > 0; length = readSync(from, buffer, 0, buffer.length, position)) updateInSlices(sum, write());
  return sum.digest('hex');
}
