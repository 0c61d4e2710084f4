import { resolveOwner } from '../../container/index.ts';
import { parseFileMode } from '../../dockerfile/index.ts';
import { unpackArchives } from '../copy/archive.ts';
import { modeChange } from '../copy/mode.ts';
import { SelectionSum } from '../copy/selection-sum.ts';
import { copyInto } from '../copy/write.ts';
import type { CopyJob, CopyResult } from '../workshop/jobs.ts';
import { type JobContext, OpenTrees } from './context.ts';
import { openSelection } from './select.ts';

/** COPY and ADD: selects, then copies or unpacks. */
export async function copyJob(job: CopyJob, context: JobContext): Promise<CopyResult> {
  using trees = new OpenTrees(job.place.scratch);
  const { sources, exclude } = openSelection(job.selection, trees);
  const root = trees.open(job.place.active.root);
  const into = {
    root,
    destination: job.destination,
    owner: ownerOf(job, root),
    mode: job.mode === undefined ? undefined : modeChange(parseFileMode(job.mode)),
    exclude,
    followLinks: !job.link,
    notBefore: job.place.notBefore,
    privileges: context.privileges,
    // A snapshot is what it was; files of a context may have changed since they were looked at.
    sum: sources.some(({ tree }) => tree.resetOwner) ? new SelectionSum() : undefined,
  };
  const { unpack } = job;
  const rest =
    unpack === 'never' ? sources : await unpackArchives(sources, { ...into, unpack, signal: context.signal });
  const { named } = copyInto(rest, into);
  return { digest: into.sum?.digest(sources), named };
}

function ownerOf(job: CopyJob, root: string): { uid: number; gid: number } | undefined {
  return job.owner === undefined ? undefined : resolveOwner(root, job.owner);
}
