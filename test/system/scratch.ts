import { it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** A fresh folder, in memory where that is possible. The test removes it. */
export function scratchFolder(): string {
  const parent = process.env['TMPDIR'] ?? (fs.existsSync('/dev/shm') ? '/dev/shm' : '/tmp');
  return fs.mkdtempSync(path.join(parent, 'slipway-system-'));
}

/** `it`, skipped where this is not real root that may mount. */
export const asRoot: typeof it | typeof it.skip = mayMount() ? it : it.skip;

function mayMount(): boolean {
  if (process.getuid?.() === 0 && succeeds('unshare', ['--mount', 'true'])) return true;
  process.stderr.write('skipped: tests that need root and the right to mount\n');
  return false;
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
