import fs from 'node:fs';
import { sameContent } from '../../layer/index.ts';
import { loadSyscalls } from '../../system/index.ts';
import type { LinkGroups } from './copy.ts';
import { join } from './path.ts';

const bufferSize = 1 << 16;

/** Keeps groups in a file of the store's own; none where there are none. */
export function writeLinks(file: string, groups: LinkGroups): void {
  if (groups.length > 0) fs.writeFileSync(file, JSON.stringify(groups), { mode: 0o600 });
}

export function readLinks(file: string): LinkGroups {
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as LinkGroups) : [];
}

/**
 * Makes one inode again of files that were hard links of each other in the tree below, and that nobody has changed since they were
 * copied: whoever copies from this tree then sees what an overlay would show. Paths are bytes, as latin1.
 */
export function relinkTree(lower: string, tree: string, groups: LinkGroups): void {
  const at = (root: string, path: string) => join(Buffer.from(root), Buffer.from(path, 'latin1'));
  const buffers = [Buffer.allocUnsafe(bufferSize), Buffer.allocUnsafe(bufferSize)] as const;
  for (const group of groups) {
    const same = group.filter((path) => isUnchanged(at(lower, path), at(tree, path), buffers));
    const [first, ...others] = same;
    if (first === undefined) continue;
    for (const other of others) linkInPlace(at(tree, first), at(tree, other));
  }
}

/** The time of the folder stays: nothing in it says anything else than before. */
function linkInPlace(first: Buffer, other: Buffer): void {
  const folder = other.subarray(0, other.lastIndexOf('/'));
  const { atimeNs, mtimeNs } = fs.lstatSync(folder, { bigint: true });
  fs.unlinkSync(other);
  fs.linkSync(first, other);
  loadSyscalls().setTimes(folder, atimeNs, mtimeNs);
}

function isUnchanged(lower: Buffer, here: Buffer, buffers: readonly [Buffer, Buffer]): boolean {
  const was = fs.lstatSync(lower, { bigint: true, throwIfNoEntry: false });
  const is = fs.lstatSync(here, { bigint: true, throwIfNoEntry: false });
  if (was === undefined || is === undefined || !was.isFile() || !is.isFile()) return false;
  // Two names of one inode already, or of what a step linked itself: that is in its layer.
  if (is.nlink > 1n) return false;
  const same = was.mode === is.mode && was.uid === is.uid && was.gid === is.gid && was.mtimeNs === is.mtimeNs;
  return same && was.size === is.size && sameContent(lower, here, buffers);
}
