import { messageOf } from '../errors.ts';
import { readFileInRoot } from '../system/index.ts';
import { ContainerError } from './error.ts';
import { type ContainerUser, findOwner, findUser, type Owner } from './users.ts';

const largestFile = 10 * 1024 * 1024;

/**
 * The root's /etc/passwd or /etc/group; undefined where there is none. Links are followed inside the root only; a FIFO does
 * not block and a huge file is not read (CVE-2024-9676, CVE-2026-47262).
 * @throws ContainerError USER_INVALID
 */
export function readAccountFile(rootfs: string, name: 'passwd' | 'group'): Buffer | undefined {
  try {
    return readFileInRoot(rootfs, `etc/${name}`, largestFile);
  } catch (cause) {
    throw new ContainerError('USER_INVALID', `/etc/${name} of the image cannot be used: ${messageOf(cause)}`, {
      cause,
    });
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
