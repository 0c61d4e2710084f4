import { closeSync, fsyncSync, ftruncateSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { derivePieces, diffLayer, endOfArchive } from '../../layer/index.ts';
import { writeFully } from '../../system/index.ts';
import type { Selected } from '../copy/select.ts';
import { statsOf } from '../copy/tree.ts';
import { copyInto } from '../copy/write.ts';
import type { ExportJob } from '../workshop/jobs.ts';
import { type JobContext, OpenTrees } from './context.ts';
import { mergeFolder, refuseDifferent } from './merge-folder.ts';

/**
 * `-o type=tar|local`: the merged trees, as one archive or as files. Files become the user's own, as buildx writes them; the archive
 * keeps owners.
 */
export function exportJob(job: ExportJob, context: JobContext): null {
  using trees = new OpenTrees(job.scratch);
  const opened = job.trees.map(({ root, folder }) => ({ root: trees.open(root), folder }));
  if (job.form === 'tar') writeTar(opened, job, context);
  else writeFolder(opened, job, context);
  return null;
}

interface OpenTree {
  readonly root: string;
  /** Where it goes below the destination; empty: there itself. */
  readonly folder: string;
}

function writeTar(trees: readonly OpenTree[], job: ExportJob, context: JobContext): void {
  // Appending, since what is cut off must not leave a hole.
  const fd = openSync(job.destination, 'ax', 0o644);
  try {
    trees.forEach(({ root, folder }, at) => {
      const headerList = join(job.scratch, `headers-${at}`);
      const how = { lowers: [], headerList, clampTo: job.clampTo, ...(folder && { prefix: folder }) };
      diffLayer(root, { privileges: context.privileges, ...how });
      if (at > 0) cutEnd(fd);
      for (const chunk of derivePieces(headerList, root)) {
        context.signal.throwIfAborted();
        writeFully(fd, chunk);
      }
    });
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Takes the end mark of an archive away, so that another can follow. */
function cutEnd(fd: number): void {
  ftruncateSync(fd, fstatSync(fd).size - endOfArchive.length);
}

function writeFolder(trees: readonly OpenTree[], job: ExportJob, { privileges }: JobContext): void {
  for (const { root, folder } of trees) {
    if (folder !== '') mkdirSync(join(job.destination, folder));
    else if (trees.length > 1) refuseDifferent(root, job.destination);
    const everything: Selected = {
      tree: { root, resetOwner: false, label: 'the image' },
      path: '',
      name: '',
      stats: statsOf(root),
    };
    copyInto([everything], {
      root: job.destination,
      destination: `/${folder}`,
      owner: { uid: 0, gid: 0 },
      followLinks: true,
      privileges,
    });
  }
  if (job.into !== undefined) mergeFolder(job.destination, job.into);
}
