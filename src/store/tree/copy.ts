import fs from 'node:fs';
import { loadSyscalls, splitDevice } from '../../system/index.ts';
import { copyAttributes } from './attributes.ts';
import { join } from './path.ts';

/** Paths of files that are one inode, as latin1, relative to their tree. */
export type LinkGroups = readonly (readonly string[])[];

/**
 * Copies the tree `from` (none: an empty folder) to the new folder `to`, sharing blocks where the file system can. Hard
 * links become separate files, as they do in an overlay whose lower layer is written to: a change through one name must not
 * show under the other in the layer. Returns them, for `relinkTree`.
 */
export function copyTree(from: string | undefined, to: string): LinkGroups {
  fs.mkdirSync(to);
  fs.chmodSync(to, 0o755);
  const links: Links = new Map();
  if (from !== undefined) copyFolder(Buffer.from(from), Buffer.from(to), { links, root: Buffer.byteLength(to) + 1 });
  return [...links.values()].filter((paths) => paths.length > 1);
}

/** Paths by inode. */
type Links = Map<string, string[]>;

interface Copying {
  readonly links: Links;
  /** Bytes of a target path that say where the tree is. */
  readonly root: number;
}

function copyFolder(from: Buffer, to: Buffer, copying: Copying): void {
  for (const name of fs.readdirSync(from, { encoding: 'buffer' })) {
    const [source, target] = [join(from, name), join(to, name)];
    const stat = fs.lstatSync(source, { bigint: true });
    if (stat.isDirectory()) {
      fs.mkdirSync(target, { mode: 0o700 });
      copyFolder(source, target, copying);
    } else if (copyFile(source, target, stat)) {
      if (stat.nlink > 1n && stat.isFile()) note(copying.links, stat, target.toString('latin1', copying.root));
      copyAttributes(source, target, stat);
    }
  }
  // Last, because filling a folder changes its time.
  copyAttributes(from, to, fs.lstatSync(from, { bigint: true }));
}

function note(links: Links, { dev, ino }: fs.BigIntStats, path: string): void {
  const inode = `${dev}:${ino}`;
  links.set(inode, [...(links.get(inode) ?? []), path]);
}

/** False for a socket, which means nothing without its process. */
function copyFile(from: Buffer, to: Buffer, stat: fs.BigIntStats): boolean {
  if (stat.isFile()) fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE);
  else if (stat.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(from, { encoding: 'buffer' }), to);
  else if (stat.isSocket()) return false;
  else {
    const { major, minor } = splitDevice(stat.rdev);
    loadSyscalls().mknod(to, Number(stat.mode), major, minor);
  }
  return true;
}
