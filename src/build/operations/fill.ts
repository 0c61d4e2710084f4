import { chmodSync, chownSync } from 'node:fs';
import { selectSources } from '../copy/select.ts';
import { copyInto } from '../copy/write.ts';
import { BuildError } from '../error.ts';
import type { FillJob } from '../workshop/jobs.ts';
import { type JobContext, OpenTrees } from './context.ts';
import { openTree } from './select.ts';

/** Gives a new cache mount the content that it begins with: a copy, which is its own from then on. */
export function fillJob(job: FillJob, { privileges }: JobContext): null {
  using trees = new OpenTrees(job.scratch);
  const tree = openTree(job.tree, trees);
  const [selected] = selectSources(tree, job.source, { parents: false });
  if (selected === undefined) throw new BuildError('SOURCE_NOT_FOUND', `"${job.source}": not found in ${tree.label}`);
  if (!selected.stats.isDirectory()) {
    throw new BuildError(
      'SOURCE_NOT_FOUND',
      `"${job.source}" in ${tree.label} is no folder, as a cache mount has to be`,
    );
  }
  copyInto([selected], { root: job.folder, destination: '/', followLinks: true, privileges });
  const own = tree.resetOwner ? { uid: 0, gid: 0, mode: selected.stats.mode } : selected.stats;
  const { uid = own.uid, gid = own.gid, mode = own.mode & 0o7777 } = job.owner;
  if (privileges.kind !== 'single') chownSync(job.folder, uid, gid);
  chmodSync(job.folder, mode);
  return null;
}
