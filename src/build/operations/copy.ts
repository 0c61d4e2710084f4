import { chmodSync, readdirSync } from 'node:fs';
import { resolveOwner } from '../../container/index.ts';
import { parseFileMode } from '../../dockerfile/index.ts';
import { unpackArchives } from '../copy/archive.ts';
import { modeChange } from '../copy/mode.ts';
import { KnownDigests } from '../copy/known-digests.ts';
import type { Selected } from '../copy/select.ts';
import { SelectionSum } from '../copy/selection-sum.ts';
import { bytesOf, locate, statsOf, textOf } from '../copy/tree.ts';
import { copyInto, type CopyInto, makeFolders } from '../copy/write.ts';
import { makeLayer } from '../../layer/index.ts';
import { FileStats } from '../../system/index.ts';
import type { CopyJob, CopyResult } from '../workshop/jobs.ts';
import { type JobContext, OpenTrees } from './context.ts';
import { openSelection } from './select.ts';

/** COPY and ADD: selects, then copies or unpacks, and makes the layer of it where one is wanted. */
export async function copyJob(job: CopyJob, context: JobContext): Promise<CopyResult> {
  const copied = await copyStep(job, context);
  if (job.layer === undefined) return copied;
  context.signal.throwIfAborted();
  return { ...copied, draft: makeLayer(job.layer, context.checkIn) };
}

async function copyStep(job: CopyJob, context: JobContext): Promise<CopyResult> {
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
    known: job.statCache === undefined ? undefined : new KnownDigests(job.statCache),
  };
  const { unpack } = job;
  const rest =
    unpack === 'never' ? sources : await unpackArchives(sources, { ...into, unpack, signal: context.signal });
  const { named } = copyInto(rest, bareOf(job, { rest, into, trees }) ?? into);
  return { digest: into.sum?.digest(sources), named };
}

interface Copying {
  readonly rest: readonly Selected[];
  readonly into: CopyInto;
  readonly trees: OpenTrees;
}

/**
 * Where folders of plain trees go into one that is new or empty, nothing below matters: they can be written to the snapshot's own folder,
 * with no overlay in between, which takes a quarter of the time and keeps a file system from sharing blocks. Until then the overlay is
 * what makes the destination; after that it is gone, since what lies below one may not change while it is mounted.
 * Files of snapshots stay with it: the kernel copies, and shares, from overlay to overlay.
 */
function bareOf({ place, selection }: CopyJob, { rest, into, trees }: Copying): CopyInto | undefined {
  const { root, folder } = place.active;
  const arePlain = selection.sources.every((source) => source.kind === 'tree' && source.tree.root.kind === 'directory');
  const areFolders = rest.length > 0 && rest.every(({ stats }) => stats.isDirectory());
  if (root.kind !== 'overlay' || !arePlain || !areFolders) return undefined;
  const at = makeFolders(into.destination, into);
  const destination = `/${textOf(at)}`;
  if (bytesOf(destination) !== `/${at}` || readdirSync(locate(into.root, at)).length > 0) return undefined;
  // Has the overlay take the folder up, as the first thing made in it would.
  if (FileStats.of(locate(folder, at)) === undefined)
    chmodSync(locate(into.root, at), statsOf(locate(into.root, at)).mode & 0o7777);
  trees.close(into.root);
  return { ...into, root: folder, destination };
}

function ownerOf(job: CopyJob, root: string): { uid: number; gid: number } | undefined {
  return job.owner === undefined ? undefined : resolveOwner(root, job.owner);
}
