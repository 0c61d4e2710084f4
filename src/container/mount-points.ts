import { chmodSync, lstatSync, mkdirSync, readlinkSync, type Stats } from 'node:fs';
import { ContainerError } from './error.ts';

const mostLinks = 40;

/**
 * Makes the folders that the isolation mounts itself, where they are missing; they stay in the layer, as they do after BuildKit. None
 * may be a symbolic link: runc before 1.2.8 would work on what it points to (CVE-2026-41579).
 * @throws ContainerError ROOT_UNSAFE
 */
export function makeKernelFolders(rootfs: string): void {
  for (const name of ['proc', 'sys', 'dev']) {
    const path = `${rootfs}/${name}`;
    const stat = lstat(path);
    if (stat === undefined) {
      mkdirSync(path);
      chmodSync(path, 0o755); // whatever our umask
    } else if (!stat.isDirectory()) {
      const kind = stat.isSymbolicLink() ? 'symbolic link' : 'file';
      throw new ContainerError('ROOT_UNSAFE', `/${name} of the root file system is not a folder but a ${kind}`, {
        hint: 'a container cannot be set up safely in it; let an earlier step make it a folder',
      });
    }
  }
}

export interface InsidePath {
  /** Without symbolic links, dots and doubled slashes. */
  readonly path: string;
  /** How many of its last components are not there. */
  readonly missing: number;
}

/**
 * Where a path of the container leads, as the kernel would find it if the root were `/`.
 * @throws ContainerError ROOT_UNSAFE for too many links, for a file where a folder should be, or for a link whose text is not UTF-8:
 * as text it would be another path.
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
      const link = readLink(`${rootfs}/${next.join('/')}`, path);
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

function readLink(link: string, path: string): string {
  const target = readlinkSync(link, 'buffer');
  const text = target.toString('utf8');
  if (Buffer.from(text).equals(target)) return text;
  throw new ContainerError('ROOT_UNSAFE', `a symbolic link on the way to ${path} leads to a name that is not UTF-8`);
}

function notFolder(path: string, parts: readonly string[]): ContainerError {
  return new ContainerError('ROOT_UNSAFE', `/${parts.join('/')}, on the way to ${path}, is not a folder`);
}

function lstat(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
