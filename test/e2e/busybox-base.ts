import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './run-cli.ts';

const project = dirname(dirname(import.meta.dirname));

/** Why steps on the small base cannot run here; undefined where they can. */
export function whyNoBusyboxBase(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  return existsSync('/bin/busybox') ? undefined : 'needs the package busybox-static';
}

/** Makes the small base image in `folder`; returns the flags that make it `busybox` in a build. */
export async function busyboxBase(folder: string): Promise<readonly string[]> {
  const made = await run(process.execPath, [join(project, 'tools', 'make-busybox-layout.ts'), folder]);
  if (made.code !== 0) throw new Error(made.stderr);
  return ['--build-context', `busybox=oci-layout://${folder}`];
}
