import { lstatSync, type Stats } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ignoreFileNames, parseIgnore } from '../../dockerfile/index.ts';
import { followInRoot, locate } from '../copy/tree.ts';
import { maxText } from './dockerfile-file.ts';

/** Patterns of the ignore file of a context: `<Dockerfile>.dockerignore` beside the Dockerfile wins over `.dockerignore` in the context. */
export async function readIgnore(folder: string, dockerfile: string | undefined): Promise<readonly string[]> {
  const own = dockerfile ?? join(folder, 'Dockerfile');
  const [beside, common] = ignoreFileNames(own);
  for (const path of [beside, join(folder, common)]) {
    const stats: Stats | undefined = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (dirname(path) === folder) {
      const patterns = await readInContext(folder, basename(path));
      if (patterns !== undefined) return patterns;
    } else if (stats.isFile() && stats.size <= maxText) return parseIgnore(await readFile(path, 'utf8'));
  }
  return [];
}

/** Patterns of `.dockerignore` in the folder of a named context. */
export async function readNamedIgnore(folder: string): Promise<readonly string[]> {
  return (await readInContext(folder, '.dockerignore')) ?? [];
}

/** A regular file alone, links followed inside the folder only. A FIFO would be waited for without end. */
async function readInContext(folder: string, name: string): Promise<readonly string[] | undefined> {
  const found = followInRoot(folder, Buffer.from(name).toString('latin1'));
  if (!found?.stats.isFile() || found.stats.size > maxText) return undefined;
  return parseIgnore(await readFile(locate(folder, found.path), 'utf8'));
}
