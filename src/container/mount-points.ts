import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { posix } from 'node:path';
import { ContainerError } from './error.ts';

/** What is mounted where; the kind decides what is made where nothing is. */
export interface MountTarget {
  /** Absolute path in the container; may lead through symbolic links of the root. */
  readonly target: string;
  readonly kind: 'folder' | 'file';
  /** Made for the mount alone, and gone with it (builder.md trap 38). Others stay, as they do after BuildKit. */
  readonly temporary: boolean;
  /** The target itself must not be a symbolic link: runc before 1.2.8 would work on what it points to (CVE-2026-41579). */
  readonly ordinary?: boolean;
}

/** Something made so that a mount has a place. */
interface Stub {
  readonly path: string;
  readonly kind: 'folder' | 'file';
  readonly inode: bigint;
}

export interface MountPoints {
  /** By `target`: the path without symbolic links. */
  readonly paths: ReadonlyMap<string, string>;
  /** Takes away the temporary ones that are as they were made. Nothing may run in the root any more. */
  clean(): void;
}

const mostLinks = 40;

/**
 * Makes the mount points of a container in its mounted root. No path is followed by the kernel: a link to `/host` in the root
 * means the root's own `/host`. Nothing runs in the root yet, so that nothing can change on the way.
 * @throws ContainerError ROOT_UNSAFE, SPEC_INVALID
 */
export function prepareMountPoints(rootfs: string, targets: readonly MountTarget[]): MountPoints {
  const stubs: Stub[] = [];
  const paths = new Map<string, string>();
  const clean = (): void => {
    for (const stub of stubs.toReversed()) removeStub(rootfs, stub);
    stubs.length = 0;
  };
  try {
    for (const target of targets) paths.set(target.target, prepare(rootfs, target, stubs));
  } catch (error) {
    clean();
    throw error;
  }
  return { paths, clean };
}

function prepare(rootfs: string, target: MountTarget, stubs: Stub[]): string {
  const found = resolveInside(rootfs, target.target);
  if (target.ordinary === true) requireOrdinary(rootfs, target.target, found);
  const [first = '', second] = found.path.split('/').slice(1);
  if (target.ordinary !== true && (first === '' || first === 'proc' || (first === 'dev' && second === undefined))) {
    throw new ContainerError('SPEC_INVALID', `cannot mount on ${target.target}: it would hide what a container needs`);
  }
  if (first === 'dev' && second !== undefined) return found.path; // made in the new /dev by the runtime
  if (found.missing === 0) {
    requireKind(rootfs, target, found.path);
    return found.path;
  }
  const parts = found.path.split('/').slice(1);
  for (let depth = parts.length - found.missing + 1; depth <= parts.length; depth++) {
    const path = `/${parts.slice(0, depth).join('/')}`;
    const kind = depth === parts.length ? target.kind : 'folder';
    make(rootfs + path, kind);
    if (target.temporary) stubs.push({ path, kind, inode: lstatSync(rootfs + path, { bigint: true }).ino });
  }
  return found.path;
}

export interface InsidePath {
  /** Without symbolic links, dots and doubled slashes. */
  readonly path: string;
  /** How many of its last components are not there. */
  readonly missing: number;
}

/**
 * Where a path of the container leads, as the kernel would find it if the root were `/`.
 * @throws ContainerError ROOT_UNSAFE for too many links, or for a file where a folder should be.
 */
export function resolveInside(rootfs: string, path: string): InsidePath {
  const rest = path.split('/');
  let done: string[] = [];
  let missing = 0;
  let links = 0;
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      missing = Math.max(0, missing - 1);
      continue;
    }
    const next = [...done, part];
    const stat = missing > 0 ? undefined : lstat(`${rootfs}/${next.join('/')}`);
    if (stat?.isSymbolicLink() === true) {
      if (++links > mostLinks) throw new ContainerError('ROOT_UNSAFE', `too many symbolic links in ${path}`);
      const link = readlinkSync(`${rootfs}/${next.join('/')}`);
      if (link.startsWith('/')) done = [];
      rest.unshift(...link.split('/'));
      continue;
    }
    if (stat === undefined) missing++;
    else if (!stat.isDirectory() && rest.some((name) => name !== '')) throw notFolder(path, next);
    done = next;
  }
  return { path: `/${done.join('/')}`, missing };
}

function requireOrdinary(rootfs: string, target: string, found: InsidePath): void {
  const stat = lstat(rootfs + target);
  if (found.path === posix.normalize(target) && (stat === undefined || stat.isDirectory())) return;
  throw new ContainerError('ROOT_UNSAFE', `${target} of the root file system is not a folder but a ${kindName(stat)}`, {
    hint: 'a container cannot be set up safely in it; let an earlier step make it a folder',
  });
}

function requireKind(rootfs: string, target: MountTarget, path: string): void {
  const stat = lstatSync(rootfs + path);
  if (stat.isDirectory() === (target.kind === 'folder')) return;
  throw new ContainerError(
    'ROOT_UNSAFE',
    `cannot mount a ${target.kind} on ${target.target}: it is a ${kindName(stat)}`,
  );
}

function kindName(stat: Stats | undefined): string {
  if (stat?.isSymbolicLink() === true) return 'symbolic link';
  if (stat?.isDirectory() === true) return 'folder';
  return 'file';
}

function notFolder(path: string, parts: readonly string[]): ContainerError {
  return new ContainerError('ROOT_UNSAFE', `/${parts.join('/')}, on the way to ${path}, is not a folder`);
}

function make(path: string, kind: 'folder' | 'file'): void {
  if (kind === 'folder') mkdirSync(path);
  else closeSync(openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW));
  chmodSync(path, kind === 'folder' ? 0o755 : 0o644); // whatever our umask
}

/**
 * Removes a stub if it is still the inode that was made, still empty, and still reached through folders alone
 * (CVE-2024-23652: a step replaced a parent by a link to the host).
 */
function removeStub(rootfs: string, stub: Stub): void {
  const parts = stub.path.split('/').slice(1);
  for (let depth = 1; depth < parts.length; depth++) {
    if (lstat(`${rootfs}/${parts.slice(0, depth).join('/')}`)?.isDirectory() !== true) return;
  }
  const stat = lstatSync(rootfs + stub.path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || stat.ino !== stub.inode) return;
  if (stub.kind === 'file') {
    if (stat.isFile() && stat.size === 0n) unlinkSync(rootfs + stub.path);
    return;
  }
  try {
    rmdirSync(rootfs + stub.path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
}

function lstat(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
