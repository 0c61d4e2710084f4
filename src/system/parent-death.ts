import fs from 'node:fs';
import path from 'node:path';
import { findExecutable } from './find-executable.ts';

/**
 * A command line whose process the kernel kills when the thread that spawned it ends, even by SIGKILL: through
 * `setpriv --pdeathsig`. The same command line where setpriv is missing or busybox's, which lacks this. The command must
 * be an absolute path or be found by the PATH that it is given.
 *
 * Spawn from a thread that lives as long as the command should: the end of a worker counts. A command that is
 * set-user-id or changes its user loses it again (prctl(2), PR_SET_PDEATHSIG).
 */
export function withParentDeath(argv: readonly string[]): readonly string[] {
  const setpriv = findSetpriv();
  return setpriv === undefined ? argv : [setpriv, '--pdeathsig', 'KILL', '--', ...argv];
}

/** setpriv of util-linux. */
export function findSetpriv(): string | undefined {
  const found = findExecutable('setpriv');
  return found === undefined || path.basename(fs.realpathSync(found)) === 'busybox' ? undefined : found;
}
