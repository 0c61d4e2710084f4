import { execFileSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(dirname(import.meta.dirname));

/** The tests run what is shipped, so it is built anew if a source is newer. */
export function buildOnce() {
  if (isFresh()) return;
  execFileSync(process.execPath, [join(root, 'tools/build.ts')], { cwd: root, stdio: 'inherit' });
}

function isFresh() {
  const built = statSync(join(root, 'dist/build.json'), { throwIfNoEntry: false })?.mtimeMs;
  if (built === undefined) return false;
  const sources = globSync(
    ['src/**/*.ts', 'tools/build.ts', 'tools/startup-plugin.ts', 'package.json', 'package-lock.json'],
    { cwd: root },
  );
  return sources.every((file) => statSync(join(root, file)).mtimeMs <= built);
}
