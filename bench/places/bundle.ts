import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../../tools/bundle-options.ts';
import type { Command } from '../measure/index.ts';
import { project } from './command.ts';

/** What looks for the threads' programs looks below the last folder of this name. */
const folder = join(project, '.cache', 'bench-work', 'dist');

/** A program of bench/work in the form in which the product is shipped: one file, without types, beside the threads of dist/. */
export async function bundled(name: string, ...args: string[]): Promise<Command> {
  const outfile = join(folder, `${name}.js`);
  await build({
    ...bundleOptions,
    entryPoints: [`bench/work/${name}.ts`],
    outfile,
  });
  await mkdir(folder, { recursive: true });
  const workers = join(folder, 'workers');
  if (!existsSync(workers)) await symlink(join(project, 'dist', 'workers'), workers);
  return [process.execPath, outfile, ...args];
}
