import fs from 'node:fs';
import path from 'node:path';
import { loadSyscalls } from './load-syscalls.ts';
import { mountRoot, unmountRoot } from './mount-root.ts';

/**
 * Whether an overlay can be mounted with its upper in `folder` and records deletions there as it should: not so on an
 * overlay, on some network and FUSE file systems, and where the file system has no extended attributes. Enters the private
 * mounts of this thread. Takes a few milliseconds; the answer is for the caller to remember.
 */
export function probeOverlay(folder: string, options: { readonly userXattr: boolean }): boolean {
  const scratch = fs.mkdtempSync(path.join(folder, '.probe-'));
  const merged = path.join(scratch, 'merged');
  try {
    for (const name of ['lower/folder', 'upper', 'work', 'merged']) {
      fs.mkdirSync(path.join(scratch, name), { recursive: true });
    }
    fs.writeFileSync(path.join(scratch, 'lower/file'), '');
    const paths = { cwd: scratch, lowers: ['lower'], upper: 'upper', work: 'work' };
    mountRoot({ kind: 'overlay', ...paths, volatile: false, userXattr: options.userXattr }, merged);
    fs.unlinkSync(path.join(merged, 'file'));
    fs.rmdirSync(path.join(merged, 'folder'));
    fs.mkdirSync(path.join(merged, 'folder'));
    return recordsDeletions(path.join(scratch, 'upper'), options.userXattr ? 'user' : 'trusted');
  } catch {
    return false;
  } finally {
    unmountRoot(merged);
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

function recordsDeletions(upper: string, space: 'user' | 'trusted'): boolean {
  const whiteout = fs.lstatSync(path.join(upper, 'file'));
  const opaque = loadSyscalls().getXattr(path.join(upper, 'folder'), `${space}.overlay.opaque`);
  return whiteout.isCharacterDevice() && whiteout.rdev === 0 && opaque?.toString() === 'y';
}
