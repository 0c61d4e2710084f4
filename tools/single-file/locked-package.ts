import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { x } from 'tar';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity?: string } | undefined>>;
}

/**
 * The folder of a package that package-lock.json names, also of one for another processor, which `npm ci` leaves out: that one
 * is fetched by npm, must be what the lock's digest says, and is kept in .cache.
 * @param root of the checkout
 */
export async function lockedPackage(root: string, name: string): Promise<string> {
  const installed = join(root, 'node_modules', name);
  if (existsSync(installed)) return installed;
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const locked = lock.packages[`node_modules/${name}`];
  if (locked?.integrity === undefined) throw new Error(`package-lock.json has no digest of ${name}`);
  const kept = join(root, '.cache', 'packages', `${name.replace('/', '+')}-${locked.version}`);
  if (!existsSync(kept)) await fetchPackage(`${name}@${locked.version}`, locked.integrity, kept);
  return join(kept, 'package');
}

async function fetchPackage(spec: string, wanted: string, kept: string): Promise<void> {
  const aside = `${kept}.${process.pid}`;
  mkdirSync(aside, { recursive: true });
  try {
    const args = ['pack', '--loglevel', 'error', '--pack-destination', aside, spec];
    await promisify(execFile)('npm', args, { cwd: aside, env: process.env });
    const [file = ''] = readdirSync(aside);
    const archive = join(aside, file);
    const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (integrity !== wanted) throw new Error(`${spec} is ${integrity}; package-lock.json says ${wanted}`);
    await x({ file: archive, cwd: aside });
    rmSync(archive);
    renameSync(aside, kept);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}
