import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { ContainerError } from './error.ts';
import { resolveInside } from './mount-points.ts';
import { type ContainerUser, findOwner, findUser, type Owner } from './users.ts';

const largestFile = 10 * 1024 * 1024;

/**
 * The root's /etc/passwd or /etc/group; undefined where there is none. Links are followed inside the root only; a FIFO does
 * not block and a huge file is not read (CVE-2024-9676, CVE-2026-47262).
 * @throws ContainerError USER_INVALID
 */
export function readAccountFile(rootfs: string, name: 'passwd' | 'group'): Buffer | undefined {
  const found = resolveInside(rootfs, `/etc/${name}`);
  if (found.missing > 0) return undefined;
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(rootfs + found.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new ContainerError('USER_INVALID', `/etc/${name} of the image is not a regular file`);
    if (stat.size > largestFile) throw new ContainerError('USER_INVALID', `/etc/${name} of the image is over 10 MiB`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * USER `user[:group]` looked up in a root file system, a folder that nothing changes meanwhile: see `findUser`.
 * @throws ContainerError USER_NOT_FOUND, USER_INVALID
 */
export function resolveUser(rootfs: string, user: string): ContainerUser {
  return findUser((name) => readAccountFile(rootfs, name), user);
}

/**
 * The owner that `--chown=user[:group]` names, looked up in a root file system: see `findOwner`.
 * @throws ContainerError USER_NOT_FOUND, USER_INVALID
 */
export function resolveOwner(rootfs: string, owner: string): Owner {
  return findOwner((name) => readAccountFile(rootfs, name), owner);
}
