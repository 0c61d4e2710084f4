import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const project = dirname(dirname(import.meta.dirname));
/** Where jest's globalSetup, which is another process, says that the base is. */
const variable = 'SLIPWAY_TEST_BUSYBOX';

/** Why steps on the small base cannot run here; undefined where they can. */
export function whyNoBusyboxBase(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  return existsSync('/bin/busybox') ? undefined : 'needs the package busybox-static';
}

/** Makes the small base image, once for all tests. Where it cannot be made it is told why, and tests that need it fail. */
export function makeBusyboxBase(folder: string): void {
  if (!existsSync('/bin/busybox')) return;
  const program = [join(project, 'tools', 'make-busybox-layout.ts'), folder];
  if (spawnSync(process.execPath, program, { stdio: 'inherit' }).status === 0) process.env[variable] = folder;
}

/** Puts the small base image into `folder`, which is the test's own; returns the flags that make it `busybox` in a build. */
export async function busyboxBase(folder: string): Promise<readonly string[]> {
  const made = process.env[variable];
  if (made === undefined)
    throw new Error('the base image of busybox could not be made: install the package busybox-static');
  await cp(made, folder, { recursive: true });
  return ['--build-context', `busybox=oci-layout://${folder}`];
}
