import { resolveUser } from '../../container/index.ts';
import { bytesOf, followInRoot } from '../copy/tree.ts';
import { makeFolders } from '../copy/write.ts';
import type { WorkdirJob } from '../workshop/jobs.ts';
import { type JobContext, OpenTrees } from './context.ts';

/** WORKDIR: missing folders are made and belong to the current user; existing ones stay as they are (docs/semantics.md, rule 16). */
export function workdirJob(job: WorkdirJob, context: JobContext): null {
  using trees = new OpenTrees(job.place.scratch);
  const root = trees.open(job.place.active.root);
  // A user that the image does not know is no matter where nothing is made for him.
  if (followInRoot(root, bytesOf(job.path))?.stats.isDirectory() === true) return null;
  const { uid, gid } = resolveUser(root, job.user);
  makeFolders(job.path, { root, owner: { uid, gid }, followLinks: true, privileges: context.privileges });
  return null;
}
