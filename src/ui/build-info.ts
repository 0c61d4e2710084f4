import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BuildInfo {
  readonly version: string;
  /** Short commit of the build; `unknown` when run from sources. */
  readonly commit: string;
}

/** What this copy of Slipway is. `root` is the package's folder. */
export function readBuildInfo(root: string): BuildInfo {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return { version, commit: readCommit(join(root, 'dist', 'build.json')) };
}

function readCommit(path: string): string {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { commit: string }).commit;
  } catch {
    return 'unknown';
  }
}
