import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from '../measure/index.ts';
import { writeFiles } from './files.ts';
import type { Workload } from './workload.ts';

const dockerfile = `ARG BASE
FROM \${BASE}
COPY . /data/
`;

/** One COPY of 20,000 files, 380 MB. */
export async function bigCopy(folder: string, { inputs }: Pick<Bench, 'inputs'>): Promise<Workload> {
  await inputs.unpack((await inputs.mixed()).tar, folder);
  await writeFiles(folder, [
    ['Dockerfile', dockerfile],
    ['.dockerignore', '.git\n**/*.log\nnode_modules\nDockerfile\n'],
  ]);
  let changes = 0;
  return { context: folder, change: () => writeFile(join(folder, 'changing.js'), `change ${(changes += 1)}\n`) };
}
