import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Writes files, with the folders that they are in. Each is made when its turn comes, so that not all are held at once. */
export async function writeFiles(folder: string, files: Iterable<readonly [path: string, content: Buffer | string]>) {
  const known = new Set<string>();
  for (const [path, content] of files) {
    const parent = dirname(join(folder, path));
    if (!known.has(parent)) await mkdir(parent, { recursive: true });
    known.add(parent);
    await writeFile(join(folder, path), content);
  }
}
