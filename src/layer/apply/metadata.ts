import fs, { type BigIntStats } from 'node:fs';
import type { Privileges, Syscalls } from '../../system/index.ts';
import { errnoOf, LayerError } from '../error.ts';
import { defaultAcl, judgeXattr, ownerXattr, trySetXattr } from './xattrs.ts';

/** Owner, mode, attributes and time of something on disk. */
export interface Metadata {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly xattrs?: ReadonlyMap<string, Buffer> | undefined;
}

export type Thing = 'file' | 'directory' | 'symlink' | 'node';

export interface PlaceOptions {
  readonly thing: Thing;
  /** The owner that it has been made with, as far as known; undefined: whoever. */
  readonly madeAs?: { readonly uid: number; readonly gid: number; readonly mode?: number | undefined } | undefined;
  /** An open descriptor of a file, which spares looking it up again. */
  readonly fd?: number | undefined;
}

/** Gives files their metadata in the order that keeps it: owner, then mode, then capabilities; times are the caller's. */
export class MetadataWriter {
  readonly #privileges: Privileges;
  readonly #syscalls: () => Syscalls;
  readonly #warn: (text: string) => void;

  constructor(privileges: Privileges, syscalls: () => Syscalls, warn: (text: string) => void) {
    this.#privileges = privileges;
    this.#syscalls = syscalls;
    this.#warn = warn;
  }

  /** @throws LayerError OWNER_UNMAPPED where the user namespace has no such id */
  place(path: string | Buffer, metadata: Metadata, options: PlaceOptions): void {
    const chowned = this.#owner(path, metadata, options);
    const asMade = options.madeAs?.mode === metadata.mode && !chowned;
    if (options.thing !== 'symlink' && !asMade) {
      // A change of owner clears setuid, and the umask may have taken bits from what open was given.
      if (options.fd === undefined) fs.chmodSync(path, metadata.mode);
      else fs.fchmodSync(options.fd, metadata.mode);
    }
    for (const [name, value] of metadata.xattrs ?? []) {
      if (name !== defaultAcl) this.xattr(path, name, value);
    }
  }

  /** Sets one attribute of a layer if the rules allow it. */
  xattr(path: string | Buffer, name: string, value: Buffer): void {
    const verdict = judgeXattr(name);
    if (verdict === 'drop-and-warn')
      this.#warn(`the extended attribute ${JSON.stringify(name)} is not taken from layers`);
    if (verdict !== 'keep') return;
    if (!trySetXattr(this.#syscalls(), path, name, value)) {
      this.#warn(`the extended attribute ${JSON.stringify(name)} cannot be set here`);
    }
  }

  #owner(path: string | Buffer, { uid, gid }: Metadata, { thing, madeAs, fd }: PlaceOptions): boolean {
    if (this.#privileges.kind === 'single' || this.#privileges.kind === 'none') {
      if (this.#privileges.kind === 'single' && (thing === 'file' || thing === 'directory'))
        this.#record(path, uid, gid, thing);
      return false;
    }
    if (madeAs?.uid === uid && madeAs.gid === gid) return false;
    try {
      if (fd === undefined) fs.lchownSync(path, uid, gid);
      else fs.fchownSync(fd, uid, gid);
    } catch (error) {
      if (errnoOf(error) !== 'EINVAL') throw error;
      throw new LayerError('OWNER_UNMAPPED', `the owner ${uid}:${gid} is not among the ids of this user`, {
        hint: 'give the user more subordinate ids in /etc/subuid and /etc/subgid',
        cause: error,
      });
    }
    return true;
  }

  #record(path: string | Buffer, uid: number, gid: number, thing: Thing): void {
    if (uid === 0 && gid === 0) {
      // A directory that was there before may carry another owner.
      if (thing === 'directory' && this.#syscalls().getXattr(path, ownerXattr) !== undefined) {
        this.#syscalls().removeXattr(path, ownerXattr);
      }
      return;
    }
    const done = trySetXattr(this.#syscalls(), path, ownerXattr, Buffer.from(`${uid}:${gid}`));
    if (!done) this.#warn('owners of files cannot be recorded here and become root');
  }
}

/** Sets the modification time, never through a symbolic link. Whole seconds need no system call that Node lacks. */
export function setTime(path: string | Buffer, mtimeNs: bigint, syscalls: () => Syscalls): void {
  const seconds = mtimeNs / 1_000_000_000n;
  if (seconds * 1_000_000_000n === mtimeNs) fs.lutimesSync(path, Number(seconds), Number(seconds));
  else syscalls().setTimes(path, mtimeNs, mtimeNs);
}

/** What is there, in the form in which it is written: for copies of a lower layer's things. */
export function metadataOf(path: string | Buffer, stats: BigIntStats, source: MetadataSource): Metadata {
  const syscalls = source.syscalls();
  const xattrs = new Map<string, Buffer>();
  for (const name of syscalls.listXattrs(path)) {
    if (judgeXattr(name) !== 'keep') continue;
    const value = syscalls.getXattr(path, name);
    if (value !== undefined) xattrs.set(name, value);
  }
  const { uid, gid } = ownerOf(path, stats, source);
  return { mode: Number(stats.mode) & 0o7777, uid, gid, mtimeNs: stats.mtimeNs, xattrs };
}

export interface MetadataSource {
  readonly privileges: Privileges;
  readonly syscalls: () => Syscalls;
}

/** The owner, with the recorded one where real ones cannot be set. */
export function ownerOf(
  path: string | Buffer,
  stats: BigIntStats,
  source: MetadataSource,
): { uid: number; gid: number } {
  const real = { uid: Number(stats.uid), gid: Number(stats.gid) };
  if (source.privileges.kind !== 'single' || !(stats.isFile() || stats.isDirectory())) return real;
  const record = source.syscalls().getXattr(path, ownerXattr)?.toString('latin1');
  const match = /^([0-9]{1,10}):([0-9]{1,10})$/.exec(record ?? '');
  return match === null ? real : { uid: Number(match[1]), gid: Number(match[2]) };
}
