import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ContainerMount, ContainerSpec } from './contract.ts';
import { completeEnvironment } from './environment.ts';
import { ContainerError } from './error.ts';
import { type MountPoints, type MountTarget, prepareMountPoints, resolveInside } from './mount-points.ts';
import { type NetworkFile, writeNetworkFiles } from './network-files.ts';
import { type ContainerUser, findUser } from './users.ts';
import { readAccountFile } from './read-account-file.ts';

/** A spec with all names looked up in its mounted root: what a driver carries out. */
export interface PreparedContainer {
  readonly spec: ContainerSpec;
  /** Where the root is mounted, in the mounts of this thread. */
  readonly rootfs: string;
  readonly user: ContainerUser;
  readonly env: readonly string[];
  readonly mounts: readonly PreparedMount[];
  readonly points: MountPoints;
}

export type PreparedMount = ContainerMount & {
  /** `target` without symbolic links. */
  readonly path: string;
  readonly isFolder: boolean;
};

const kernelFolders: readonly MountTarget[] = ['/proc', '/sys', '/dev'].map((target) => {
  return { target, kind: 'folder', temporary: false, ordinary: true };
});

/**
 * Looks up the user, writes the network files into the bundle and makes the mount points in the root.
 * @throws ContainerError SPEC_INVALID, USER_NOT_FOUND, USER_INVALID, ROOT_UNSAFE
 */
export function prepareContainer(spec: ContainerSpec, rootfs: string): PreparedContainer {
  const user = findUser((name) => readAccountFile(rootfs, name), spec.user);
  checkWorkingDirectory(spec.cwd, rootfs);
  const networkFiles = writeNetworkFiles(spec.bundle, spec);
  const wanted = [...networkFiles.map(networkMount), ...spec.mounts.map(checkedMount)];
  const targets = wanted.map(({ mount, isFolder }): MountTarget => {
    return { target: mount.target, kind: isFolder ? 'folder' : 'file', temporary: true };
  });
  const points = prepareMountPoints(rootfs, [...kernelFolders, ...targets]);
  const mounts = wanted.map(({ mount, isFolder }) => {
    return { ...mount, isFolder, path: points.paths.get(mount.target) ?? mount.target };
  });
  return { spec, rootfs, user, env: completeEnvironment(spec.env, user.home), mounts, points };
}

/** What can be told without the root. */
export function checkSpec(spec: ContainerSpec): void {
  if (!/^[a-z0-9-]+$/.test(spec.id)) invalid(`${JSON.stringify(spec.id)} is no id of a container`);
  if (spec.args.length === 0 || spec.args[0] === '') invalid('there is no command to run');
  if (!spec.cwd.startsWith('/')) invalid(`the working directory ${JSON.stringify(spec.cwd)} is not absolute`);
  const texts = [...spec.args, ...spec.env, spec.cwd, spec.hostname, ...spec.mounts.map((mount) => mount.target)];
  if (texts.some((text) => text.includes('\0'))) invalid('a NUL byte cannot be passed to a process');
  const badMount = spec.mounts.find((mount) => !mount.target.startsWith('/'));
  if (badMount !== undefined) invalid(`the mount target ${JSON.stringify(badMount.target)} is not absolute`);
}

/** A working directory among open files would be one of the machine's (CVE-2024-21626). */
function checkWorkingDirectory(cwd: string, rootfs: string): void {
  const { path } = resolveInside(rootfs, cwd);
  if (/^\/(proc\/[^/]+(\/task\/[^/]+)?\/(fd|fdinfo|cwd|root|map_files)|dev\/fd)(\/|$)/.test(path)) {
    invalid(`the working directory ${cwd} lies among open files`);
  }
}

interface CheckedMount {
  readonly mount: ContainerMount;
  readonly isFolder: boolean;
}

function networkMount(file: NetworkFile): CheckedMount {
  return checkedMount({ kind: 'bind', source: file.source, target: file.target, readOnly: false });
}

/** A source is made free of links, but must not be one itself: it may come from an image. */
function checkedMount(mount: ContainerMount): CheckedMount {
  if (mount.kind === 'tmpfs') return { mount, isFolder: true };
  const source = join(realpathSync.native(dirname(mount.source)), basename(mount.source));
  const stat = lstatSync(source);
  if (stat.isSymbolicLink()) invalid(`the source of the mount ${mount.target} is a symbolic link`);
  return { mount: { ...mount, source }, isFolder: stat.isDirectory() };
}

function invalid(message: string): never {
  throw new ContainerError('SPEC_INVALID', message);
}
