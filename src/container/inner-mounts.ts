import { chmodSync, closeSync, constants, fstatSync, lstatSync, readFileSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  flagsOfOptions,
  loadSyscalls,
  makeDirsInRoot,
  mountFlags,
  openInRoot,
  resolveInRoot,
  SystemError,
  umountFlags,
} from '../system/index.ts';
import type { ContainerMount } from './contract.ts';
import { ContainerError } from './error.ts';
import { resolveInside } from './mount-points.ts';

export interface CheckedMount {
  /** A bind's source is a path without links. */
  readonly mount: ContainerMount;
  readonly isFolder: boolean;
}

export type PreparedMount = ContainerMount & {
  /** `target` without symbolic links. */
  readonly path: string;
  readonly isFolder: boolean;
};

/** Something made so that a mount has a place. */
interface Stub {
  /** From the root, without a slash in front. */
  readonly path: string;
  readonly kind: 'folder' | 'file';
  readonly device: bigint;
  readonly inode: bigint;
}

interface Mounted {
  readonly path: string;
  /** The root of what was mounted; undefined until it is. */
  fd: number | undefined;
  readonly stubs: Stub[];
}

const O_PATH = 0o10000000; // not among Node's constants
const { O_CREAT, O_EXCL, O_WRONLY } = constants;

/**
 * What a container sees below its root, mounted one by one before anything runs in it: so a later one may lie in an earlier one,
 * and every isolation has the same. No path is followed by the kernel: a link to `/host` in the root or in a mount means the
 * container's own `/host`. Places are held open while they are used, because another container may be changing a cache that two
 * of them share.
 */
export class InnerMounts {
  readonly #rootfs: string;
  readonly #flags: number;
  readonly #done: Mounted[] = [];
  /** What lies in folders that the isolation itself mounts. */
  readonly later: PreparedMount[] = [];

  /**
   * `mounts` in their order.
   * @param options.devices whether device nodes can be opened there: where something else sees to which ones.
   * @throws ContainerError ROOT_UNSAFE, SPEC_INVALID
   */
  constructor(rootfs: string, mounts: readonly CheckedMount[], options: { readonly devices: boolean }) {
    this.#rootfs = rootfs;
    this.#flags = options.devices ? 0 : mountFlags.noDev;
    try {
      for (const mount of mounts) this.#add(mount);
    } catch (error) {
      this.clean();
      throw error;
    }
  }

  /** Unmounts, and takes away what was made for it where it is as it was made (docs/semantics.md, rule 38). Nothing may run any more. */
  clean(): void {
    for (let mounted = this.#done.pop(); mounted !== undefined; mounted = this.#done.pop()) {
      if (mounted.fd !== undefined) unmount(mounted.fd);
      for (const stub of mounted.stubs.toReversed()) removeStub(this.#rootfs, stub);
    }
  }

  #add(checked: CheckedMount): void {
    const { target } = checked.mount;
    const { path } = resolveInside(this.#rootfs, target);
    const [first = '', second] = path.split('/').slice(1);
    if (first === '' || first === 'proc' || (second === undefined && (first === 'dev' || first === 'sys'))) {
      throw new ContainerError('SPEC_INVALID', `cannot mount on ${target}: it would hide what a container needs`);
    }
    if (first === 'dev' || first === 'sys') {
      this.later.push({ ...checked.mount, path, isFolder: checked.isFolder });
      return;
    }
    // What is made in an outer mount stays: another step may have mounted on it in a cache that both use, and would lose that.
    const isNested = this.#done.some((outer) => path.startsWith(`${outer.path}/`));
    const mounted: Mounted = { path, fd: undefined, stubs: [] };
    this.#done.push(mounted);
    try {
      const stubs = makeTarget(this.#rootfs, path, checked.isFolder ? 'folder' : 'file');
      if (!isNested) mounted.stubs.push(...stubs);
      mounted.fd = mountOn(this.#rootfs, path, { ...checked, flags: this.#flags });
    } catch (error) {
      throw explained(error, target);
    }
  }
}

/** Returns what it made, outermost first. */
function makeTarget(rootfs: string, path: string, kind: Stub['kind']): readonly Stub[] {
  const folder = kind === 'folder' ? path : dirname(path);
  // Of what is there the kind is looked at when it is opened.
  if (kind === 'folder' && lstatIn(rootfs, path)?.isDirectory() === false) return [];
  const made = makeDirsInRoot(rootfs, folder, { mode: 0o755 });
  const folders = made.flatMap((each) => stubAt(rootfs, each.toString(), 'folder'));
  if (kind === 'folder' || lstatIn(rootfs, path) !== undefined || !makeFile(rootfs, path)) return folders;
  return [...folders, ...stubAt(rootfs, path.slice(1), 'file')];
}

/** False: another step made it just now, in a cache that both use. */
function makeFile(rootfs: string, path: string): boolean {
  try {
    const fd = openInRoot(rootfs, path, { flags: O_CREAT | O_EXCL | O_WRONLY, mode: 0o644, followFinal: false });
    try {
      chmodSync(`/proc/self/fd/${fd}`, 0o644); // whatever our umask
    } finally {
      closeSync(fd);
    }
    return true;
  } catch (error) {
    if (error instanceof SystemError && error.errno === 'EEXIST') return false;
    throw error;
  }
}

function stubAt(rootfs: string, path: string, kind: Stub['kind']): readonly Stub[] {
  const stat = lstatIn(rootfs, path);
  return stat === undefined ? [] : [{ path, kind, device: stat.dev, inode: stat.ino }];
}

/** Returns the open root of the new mount. */
function mountOn(
  rootfs: string,
  path: string,
  { mount, isFolder, flags }: CheckedMount & { readonly flags: number },
): number {
  const fd = openInRoot(rootfs, path, { flags: O_PATH, followFinal: false });
  try {
    const stat = fstatSync(fd);
    if (stat.isSymbolicLink() || stat.isDirectory() !== isFolder) {
      const what = stat.isSymbolicLink() ? 'symbolic link' : stat.isDirectory() ? 'folder' : 'file';
      const wanted = isFolder ? 'folder' : 'file';
      throw new ContainerError('ROOT_UNSAFE', `cannot mount a ${wanted} on ${mount.target}: it is a ${what}`);
    }
    const place = `/proc/self/fd/${fd}`;
    if (mount.kind === 'bind') loadSyscalls().mount(mount.source, place, null, mountFlags.bind, null);
    else loadSyscalls().mount('tmpfs', place, 'tmpfs', mountFlags.noSuid | flags, tmpfsOptions(mount));
  } finally {
    closeSync(fd);
  }
  // The descriptor above is of what lies below the new mount.
  const top = openInRoot(rootfs, path, { flags: O_PATH, followFinal: false });
  if (mount.kind === 'bind') protect(top, flags | (mount.readOnly ? mountFlags.readOnly : 0));
  return top;
}

export function tmpfsOptions(mount: ContainerMount & { readonly kind: 'tmpfs' }): string {
  const size = mount.size === undefined ? '' : `,size=${mount.size}`;
  return `mode=${(mount.mode ?? 0o1777).toString(8)}${size}`;
}

/** Adds flags; a user namespace may not drop those of what is below, so they are kept. */
function protect(fd: number, flags: number): void {
  if (flags === 0) return;
  const { remount, bind } = mountFlags;
  loadSyscalls().mount('none', `/proc/self/fd/${fd}`, null, remount | bind | flags | flagsOfMount(fd), null);
}

/** The flags of the mount that an open file lies in, from proc(5): this thread's mounts are its own. */
function flagsOfMount(fd: number): number {
  const id = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/thread-self/fdinfo/${fd}`, 'latin1'))?.[1];
  const lines = readFileSync('/proc/thread-self/mountinfo', 'latin1').split('\n');
  const line = lines.findLast((each) => each.startsWith(`${id} `)) ?? '';
  return flagsOfOptions(line.split(' ')[5] ?? '');
}

/** It is held open, so it goes when the descriptor does. */
function unmount(fd: number): void {
  try {
    loadSyscalls().umount(`/proc/self/fd/${fd}`, umountFlags.detach);
  } finally {
    closeSync(fd);
  }
}

/**
 * Removes a stub if it is still the inode that was made, still empty, and still reached through folders alone
 * (CVE-2024-23652: a step replaced a parent by a link to the host).
 */
function removeStub(rootfs: string, stub: Stub): void {
  try {
    using found = resolveInRoot(rootfs, stub.path, { followFinal: false });
    if (found.path.toString() !== stub.path) return;
    const stat = lstatSync(found.place, { bigint: true });
    if (stat.ino !== stub.inode || stat.dev !== stub.device) return;
    if (stub.kind === 'folder') rmdirSync(found.place);
    else if (stat.isFile() && stat.size === 0n) unlinkSync(found.place);
  } catch (error) {
    const errno = error instanceof SystemError ? error.errno : (error as NodeJS.ErrnoException).code;
    const isOther = ['ENOTEMPTY', 'ENOENT', 'ENOTDIR', 'ELOOP', 'EROFS'].includes(String(errno));
    if (!isOther) throw error;
  }
}

function lstatIn(rootfs: string, path: string) {
  try {
    using found = resolveInRoot(rootfs, path, { followFinal: false });
    return lstatSync(found.place, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (error instanceof SystemError && error.errno === 'ENOENT') return undefined;
    throw error;
  }
}

function explained(error: unknown, target: string): unknown {
  const errno = error instanceof SystemError ? error.errno : (error as NodeJS.ErrnoException).code;
  if (error instanceof ContainerError || errno === undefined) return error;
  if (errno === 'EROFS') {
    return new ContainerError(
      'SPEC_INVALID',
      `cannot mount on ${target}: it is not there, and cannot be made in what is mounted read-only around it`,
      {
        hint: 'make the folder in the source of the outer mount, or mount that with rw',
        cause: error,
      },
    );
  }
  return new ContainerError('ROOT_UNSAFE', `cannot mount on ${target}: ${errno}`, { cause: error });
}
