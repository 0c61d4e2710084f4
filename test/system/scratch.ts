import { it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadSyscalls } from '../../src/system/index.ts';

/** A fresh folder where files can have attributes (tmpfs only since Linux 6.6), in memory if possible. The test removes it. */
export function scratchFolder(): string {
  const candidates = [process.env['TMPDIR'], '/dev/shm', os.tmpdir(), '/var/tmp'].filter((each) => each !== undefined);
  for (const parent of candidates) {
    if (!fs.existsSync(parent)) continue;
    const folder = fs.mkdtempSync(path.join(parent, 'slipway-system-'));
    if (hasAttributes(folder)) return folder;
    fs.rmdirSync(folder);
  }
  throw new Error('no folder for temporary files has extended attributes');
}

function hasAttributes(folder: string): boolean {
  try {
    loadSyscalls().setXattr(folder, 'user.slipway-test', Buffer.from('x'));
    loadSyscalls().removeXattr(folder, 'user.slipway-test');
    return true;
  } catch {
    return false;
  }
}

const mayMount = process.getuid?.() === 0 && succeeds('unshare', ['--mount', 'true']);
if (!mayMount) process.stderr.write('skipped: tests that need root and the right to mount\n');

/** `it`, skipped where this is not real root that may mount. */
export const asRoot: typeof it | typeof it.skip = mayMount ? it : it.skip;

/** `it`, skipped where root cannot mount an overlay: in most containers, whose files lie on one already. */
export const withOverlay: typeof it | typeof it.skip = mayMount && mayMountOverlay() ? it : it.skip;

function mayMountOverlay(): boolean {
  const folder = scratchFolder();
  const script = 'cd "$0" && mkdir l u w m && mount -t overlay none -o lowerdir=l,upperdir=u,workdir=w m';
  const found = succeeds('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, folder]);
  if (!found) process.stderr.write('skipped: tests that need overlay mounts\n');
  fs.rmSync(folder, { recursive: true, force: true });
  return found;
}

/** Whether a command can be run and exits with 0. */
export function succeeds(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
