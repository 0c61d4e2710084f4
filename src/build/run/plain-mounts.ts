import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerMount } from '../../container/index.ts';
import { encodeText, type RunStep } from '../../dockerfile/index.ts';
import type { TreeMount, Workplace } from '../workshop/jobs.ts';
import { treeOf, type TreeOffer } from '../contexts/trees.ts';

/** Heredocs with an interpreter of their own are files under /dev/pipes during the step. */
export async function pipeMounts(step: RunStep, place: Workplace): Promise<ContainerMount[]> {
  if (step.pipes.length === 0) return [];
  const folder = join(place.scratch, 'pipes');
  await mkdir(folder);
  for (const { name, content } of step.pipes) await writeFile(join(folder, name), encodeText(content));
  // Any user of the image may read them, whatever our umask.
  for (const path of [folder, ...step.pipes.map(({ name }) => join(folder, name))]) await chmod(path, 0o755);
  return [{ kind: 'bind', source: folder, target: '/dev/pipes', readOnly: true }];
}

/** Folders in memory. */
export function memoryMounts(step: RunStep): readonly ContainerMount[] {
  return step.mounts.flatMap((mount) => {
    if (mount.type !== 'tmpfs') return [];
    return [{ kind: 'tmpfs', target: mount.target, ...(mount.size === undefined ? {} : { size: mount.size }) }];
  });
}

/** Bind mounts. */
export async function treeMounts(step: RunStep, offer: TreeOffer): Promise<TreeMount[]> {
  const mounts: TreeMount[] = [];
  for (const mount of step.mounts) {
    if (mount.type !== 'bind') continue;
    mounts.push({
      tree: await treeOf(mount.from, offer).open(),
      source: mount.source,
      target: mount.target,
      readWrite: mount.readWrite,
    });
  }
  return mounts;
}
