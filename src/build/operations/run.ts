import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ContainerMount, runContainer } from '../../container/index.ts';
import { makeLayer } from '../../layer/index.ts';
import { enterPrivateMounts } from '../../system/index.ts';
import { selectSources } from '../copy/select.ts';
import { SelectionSum } from '../copy/selection-sum.ts';
import { exactText, locate } from '../copy/tree.ts';
import { copyInto } from '../copy/write.ts';
import { BuildError, cancelled } from '../error.ts';
import { bundleOf } from '../workshop/lane.ts';
import { OpenCredentials } from '../mounts/open-credentials.ts';
import type { RunJob, RunResult, TreeMount } from '../workshop/jobs.ts';
import { type JobContext, OpenTrees } from './context.ts';
import { openTree } from './select.ts';

/** Every container of a build has this name, as BuildKit's do, so that results do not depend on chance. */
const hostname = 'buildkitsandbox';

/** RUN: one container. What it left in the snapshot becomes a layer, if it succeeded and one is wanted; the caller commits it. */
export async function runJob(job: RunJob, context: JobContext): Promise<RunResult> {
  const end = await runStep(job, context);
  if (job.layer === undefined || end.exitCode !== 0) return end;
  context.onLeft();
  return { ...end, draft: makeLayer(job.layer, context.checkIn) };
}

async function runStep(job: RunJob, context: JobContext): Promise<RunResult> {
  enterPrivateMounts();
  using trees = new OpenTrees(job.place.scratch);
  const bundle = bundleOf(job.place.scratch);
  mkdirSync(bundle, { recursive: true });
  const shown: Record<string, string> = {};
  const treeMounts = job.treeMounts.map((mount, index) => openTreeMount(mount, { job, trees, context, index, shown }));
  const vault = join(job.place.scratch, 'credentials');
  await using credentials = await OpenCredentials.open(job.credentials, vault, context.privileges);
  const status = await runContainer(
    {
      id: job.containerId,
      bundle,
      root: job.place.active.root,
      args: job.args,
      env: job.env,
      secretEnv: job.credentials.env,
      cwd: job.cwd,
      user: job.user,
      network: job.network,
      hostname,
      mounts: [...job.mounts, ...treeMounts, ...credentials.mounts],
      confinement: job.confinement,
      interaction: job.interaction,
    },
    { privileges: context.privileges, isolation: job.isolation, signal: context.signal, onOutput: context.onOutput },
  );
  if (context.signal.aborted) throw cancelled();
  return { exitCode: status.code, signal: status.signal, outOfMemory: status.outOfMemory, shown };
}

interface MountWork {
  readonly job: RunJob;
  readonly trees: OpenTrees;
  readonly context: JobContext;
  readonly index: number;
  readonly shown: Record<string, string>;
}

/**
 * A bind mount shows a copy where the tree is a context (its files are root's in the step, and what .dockerignore excludes is not
 * there) or where the step may write (writes are thrown away); else the snapshot itself, read-only. A path that is not UTF-8 cannot
 * be told to a runtime: as text it would be another one, with links that nobody has looked at, so it is copied too.
 */
function openTreeMount(mount: TreeMount, { job, trees, context, index, shown }: MountWork): ContainerMount {
  const tree = openTree(mount.tree, trees);
  const [selected] = selectSources(tree, mount.source, { parents: false });
  if (selected === undefined) throw new BuildError('SOURCE_NOT_FOUND', `"${mount.source}": not found in ${tree.label}`);
  const source = exactText(locate(tree.root, selected.path));
  if (!tree.resetOwner && !mount.readWrite && source !== undefined) {
    return { kind: 'bind', source, target: mount.target, readOnly: true };
  }
  const folder = join(job.place.scratch, `bind-${index}`);
  mkdirSync(folder);
  const sum = tree.resetOwner ? new SelectionSum() : undefined;
  const { privileges } = context;
  const { notBefore } = job.place;
  copyInto([selected], { root: folder, destination: '/shown', followLinks: true, notBefore, privileges, sum });
  if (sum !== undefined) shown[mount.target] = sum.digest([selected]);
  return { kind: 'bind', source: join(folder, 'shown'), target: mount.target, readOnly: !mount.readWrite };
}
