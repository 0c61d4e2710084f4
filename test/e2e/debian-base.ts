import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from './run-cli.ts';

const project = dirname(dirname(import.meta.dirname));

/** Why the tests on a Debian base cannot run here; undefined where they can. */
export function whyNoDebianBase(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!existsSync('/usr/bin/mmdebstrap')) return 'needs the package mmdebstrap';
  return undefined;
}

export interface DebianBase {
  /** A tar of a minimal Debian root file system. */
  readonly rootfs: string;
  /** A folder of .deb packages: nodejs and what it needs beyond the base. */
  readonly debs: string;
}

/** Makes the base once per checkout, from Debian's packages. */
export async function debianBase(): Promise<DebianBase> {
  const folder = join(project, '.cache', 'debian-base');
  const made = await run(join(project, 'tools', 'make-debian-base.sh'), [folder], { timeout: 600_000 });
  if (made.code !== 0) throw new Error(`make-debian-base.sh failed\n${made.stdout}\n${made.stderr}`);
  return { rootfs: join(folder, 'base.tar'), debs: join(folder, 'debs') };
}

/** The context of the web application with its packages. */
export async function webAppContext(base: DebianBase, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await cp(join(project, 'test', 'fixtures', 'web-app'), folder, { recursive: true });
  await cp(base.debs, join(folder, 'debs'), { recursive: true });
  return folder;
}
