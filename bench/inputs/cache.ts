import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { project } from '../places/index.ts';

/** Counted up when what is made changes, so that nothing stale is measured. */
const version = 1;

/** Where inputs are kept between runs. */
export function inputsFolder(): string {
  return join(process.env['SLIPWAY_BENCH_INPUTS'] ?? join(project, '.cache', 'bench-inputs'), `v${version}`);
}

/** The folder of an input, made when it is not there yet: beside its place, and moved there when it is complete. */
export async function cached(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(inputsFolder(), name);
  if (existsSync(folder)) return folder;
  const making = `${folder}.${randomBytes(6).toString('hex')}.part`;
  await mkdir(making, { recursive: true });
  try {
    await make(making);
    await rename(making, folder);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return folder;
}
