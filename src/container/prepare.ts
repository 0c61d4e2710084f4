import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ContainerMount, ContainerSpec, Isolation } from './contract.ts';
import { completeEnvironment, withSecrets } from './environment.ts';
import { ContainerError } from './error.ts';
import { type CheckedMount, InnerMounts, type PreparedMount } from './inner-mounts.ts';
import { makeKernelFolders, resolveInside } from './mount-points.ts';
import { type NetworkFile, writeNetworkFiles } from './network-files.ts';
import { type ContainerUser, findUser } from './users.ts';
import { readAccountFile } from './read-account-file.ts';

/** A spec with all names looked up in its mounted root: what a driver carries out. */
export interface PreparedContainer {
  readonly spec: ContainerSpec;
  /** Where the root is mounted, in the mounts of this thread. */
  readonly rootfs: string;
  /** Where the driver writes what tells all of the container: the bundle, or memory where the environment has secrets. */
  readonly launchFolder: string;
  readonly user: ContainerUser;
  readonly env: readonly string[];
  /** Those that are still to be mounted: they lie in folders that the driver mounts itself. */
  readonly mounts: readonly PreparedMount[];
  /** Those that are mounted in `rootfs` already. */
  readonly inner: InnerMounts;
}

export interface PrepareOptions {
  readonly rootfs: string;
  readonly launchFolder: string;
  readonly isolation: Isolation;
}

/**
 * Looks up the user, writes the network files into the bundle and mounts what the container sees in the root. Mounts are made from
 * the outermost in, as BuildKit does, whatever their order in the instruction.
 * @throws ContainerError SPEC_INVALID, USER_NOT_FOUND, USER_INVALID, ROOT_UNSAFE
 */
export function prepareContainer(
  spec: ContainerSpec,
  { rootfs, launchFolder, isolation }: PrepareOptions,
): PreparedContainer {
  const user = findUser((name) => readAccountFile(rootfs, name), spec.user);
  const networkFiles = writeNetworkFiles(spec.bundle, spec);
  const sorted = spec.mounts.toSorted((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0));
  makeKernelFolders(rootfs);
  // runc has a device cgroup.
  const devices = isolation === 'runc' || spec.confinement?.security?.insecure === true;
  const inner = new InnerMounts(rootfs, [...networkFiles.map(networkMount), ...sorted.map(checkedMount)], { devices });
  try {
    checkWorkingDirectory(spec.cwd, rootfs); // a mount may have brought a link
  } catch (error) {
    inner.clean();
    throw error;
  }
  const env = completeEnvironment(withSecrets(spec.env, spec.secretEnv ?? []), user.home);
  return { spec, rootfs, launchFolder, user, env, mounts: inner.later, inner };
}

/** What can be told without the root. */
export function checkSpec(spec: ContainerSpec): void {
  if (!/^[a-z0-9-]+$/.test(spec.id)) invalid(`${JSON.stringify(spec.id)} is no id of a container`);
  if (spec.args.length === 0 || spec.args[0] === '') invalid('there is no command to run');
  if (!spec.cwd.startsWith('/')) invalid(`the working directory ${JSON.stringify(spec.cwd)} is not absolute`);
  const texts = [
    ...spec.args,
    ...spec.env,
    ...(spec.secretEnv ?? []),
    spec.cwd,
    spec.hostname,
    ...spec.mounts.map((mount) => mount.target),
  ];
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
