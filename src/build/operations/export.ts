import { closeSync, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { deriveTar, diffLayer } from '../../layer/index.ts';
import type { Selected } from '../copy/select.ts';
import { statsOf } from '../copy/tree.ts';
import { copyInto } from '../copy/write.ts';
import type { ExportJob } from '../jobs.ts';
import { type JobContext, OpenTrees } from './context.ts';
import { writeFully } from '../../system/index.ts';

/**
 * `-o type=tar|local`: the merged tree, as one archive or as files. Files become the user's own, as buildx writes them; the archive
 * keeps owners.
 */
export function exportJob(job: ExportJob, context: JobContext): null {
  using trees = new OpenTrees(job.scratch);
  const root = trees.open(job.root);
  if (job.form === 'tar') {
    const headerList = join(job.scratch, 'headers');
    diffLayer(root, { privileges: context.privileges, lowers: [], headerList });
    writeTar(headerList, root, job.destination);
    return null;
  }
  const everything: Selected = {
    tree: { root, resetOwner: false, label: 'the image' },
    path: '',
    name: '',
    stats: statsOf(root),
  };
  copyInto([everything], {
    root: job.destination,
    destination: '/',
    owner: { uid: 0, gid: 0 },
    followLinks: true,
    privileges: context.privileges,
  });
  return null;
}

function writeTar(headerList: string, root: string, destination: string): void {
  const fd = openSync(destination, 'wx', 0o644);
  try {
    for (const chunk of deriveTar(headerList, root)) writeFully(fd, chunk);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
