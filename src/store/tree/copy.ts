import fs from 'node:fs';
import { loadSyscalls, splitDevice } from '../../system/index.ts';
import { copyAttributes } from './attributes.ts';
import { join } from './path.ts';

/**
 * Copies the tree `from` (none: an empty folder) to the new folder `to`, sharing blocks where the file system can. Hard
 * links become separate files, as they do in an overlay whose lower layer is written to: a change through one name must not
 * show under the other in the layer.
 */
export function copyTree(from: string | undefined, to: string): void {
  fs.mkdirSync(to);
  fs.chmodSync(to, 0o755);
  if (from !== undefined) copyFolder(Buffer.from(from), Buffer.from(to));
}

function copyFolder(from: Buffer, to: Buffer): void {
  for (const name of fs.readdirSync(from, { encoding: 'buffer' })) {
    const [source, target] = [join(from, name), join(to, name)];
    const stat = fs.lstatSync(source, { bigint: true });
    if (stat.isDirectory()) {
      fs.mkdirSync(target, { mode: 0o700 });
      copyFolder(source, target);
    } else if (copyFile(source, target, stat)) {
      copyAttributes(source, target, stat);
    }
  }
  // Last, because filling a folder changes its time.
  copyAttributes(from, to, fs.lstatSync(from, { bigint: true }));
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
