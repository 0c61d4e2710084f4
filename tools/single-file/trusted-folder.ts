import fs from 'node:fs';
import { dirname } from 'node:path';

const [groupWrites, othersWrite, sticky] = [0o020, 0o002, 0o1000];

/**
 * Why code of `path` must not be run: somebody else could have put it there. Undefined for a folder, no link, of ours or of root's
 * that others cannot write to.
 */
export function whyNotTrusted(path: string): string | undefined {
  const stats = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 'is missing';
  if (!stats.isDirectory()) return 'is not a folder';
  if (stats.uid !== 0 && stats.uid !== process.geteuid?.()) return `belongs to user ${stats.uid}`;
  if ((stats.mode & (groupWrites | othersWrite)) !== 0) return 'can be written to by others';
  return undefined;
}

/**
 * Why what is in `path`, which has no link in it, is not safe: who can write there or above could put another folder in its place
 * between our look and our use, as the user can whose HOME `sudo` passed on. Who owns `/` is trusted as root is: in a user
 * namespace, root of the machine has no id.
 */
export function whyWayNotTrusted(path: string): string | undefined {
  const trusted = new Set([0, process.geteuid?.(), fs.statSync('/').uid]);
  const ownGroups = new Set([0, process.getegid?.()]);
  for (let folder = path; ; folder = dirname(folder)) {
    const { uid, gid, mode } = fs.lstatSync(folder);
    if (!trusted.has(uid)) return `${folder} belongs to user ${uid}`;
    const openTo = ownGroups.has(gid) ? othersWrite : groupWrites | othersWrite;
    if ((mode & openTo) !== 0 && (mode & sticky) === 0) return `${folder} can be written to by others`;
    if (folder === '/') return undefined;
  }
}
