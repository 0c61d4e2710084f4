import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { chainIdOfAll, type CallOptions, formatPlatform, type Platform } from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { BuildError } from '../error.ts';
import type { ExportJob } from '../workshop/jobs.ts';
import type { Lane } from '../workshop/lane.ts';
import type { Workshop } from '../workshop/workshop.ts';
import type { TreeOutput } from './output.ts';
import type { BuiltImage } from './roots.ts';

export interface TreeOptions extends CallOptions {
  readonly store: Store;
  readonly workshop: Workshop;
  readonly lane: Lane;
  /** SOURCE_DATE_EPOCH of a reproducible build: no later time is told. */
  readonly epoch?: number | undefined;
}

type Trees = ExportJob['trees'];

/** Writes the merged tree of each platform, as a tar archive or as files; what is at the destination is replaced last. */
export async function writeTrees(
  output: TreeOutput,
  images: readonly BuiltImage[],
  options: TreeOptions,
): Promise<void> {
  const { store, signal } = options;
  const split = output.platformSplit ?? images.length > 1;
  if (output.type === 'tar' && images.length > 1 && !split) {
    throw new BuildError('OUTPUT_INVALID', 'a tar archive of several platforms needs a folder for each', {
      hint: 'leave platform-split=false away, or use type=local',
    });
  }
  const trees: { root: Trees[number]['root']; folder: string }[] = [];
  for (const { config, platform } of images) {
    await store.unpack(config.diffIds, { signal });
    const root = store.snapshots.view(chainIdOfAll(config.diffIds));
    trees.push({ root, folder: split ? folderOf(platform) : '' });
  }
  await (output.type === 'local' ? writeFolder(output, trees, options) : writeTar(output, trees, options));
}

/** `linux_arm_v7`, as BuildKit calls it. */
function folderOf(platform: Platform): string {
  return formatPlatform(platform).replaceAll('/', '_');
}

async function writeFolder(output: TreeOutput, trees: Trees, { workshop, lane, signal }: TreeOptions): Promise<void> {
  const folder = resolve(output.destination);
  const scratch = await lane.scratch();
  const isThere = statSync(folder, { throwIfNoEntry: false }) !== undefined;
  const destination = isThere ? join(folder, `.slipway-${lane.id}.partial`) : `${folder}.${lane.id}.partial`;
  const into = isThere ? { folder, mode: output.mode } : undefined;
  try {
    await mkdir(destination, { recursive: true });
    await workshop.run({ kind: 'export', trees, scratch, form: 'folder', destination, into }, { signal });
    if (!isThere) await rename(destination, folder);
  } finally {
    await rm(destination, { recursive: true, force: true });
  }
}

async function writeTar(
  output: TreeOutput,
  trees: Trees,
  { workshop, lane, epoch, signal }: TreeOptions,
): Promise<void> {
  const destination = resolve(output.destination);
  const scratch = await lane.scratch();
  const streamed = isStream(output.destination);
  const file = !streamed ? `${destination}.${lane.id}.partial` : join(scratch, 'tree.tar');
  try {
    await mkdir(dirname(file), { recursive: true });
    const job = { kind: 'export', trees, scratch, form: 'tar', destination: file, clampTo: epoch } as const;
    await workshop.run(job, { signal });
    if (!streamed) {
      await rename(file, destination);
      return;
    }
    const stream = output.destination === '-' ? process.stdout : createWriteStream(destination);
    await pipeline(createReadStream(file), stream, { end: stream !== process.stdout, signal });
  } finally {
    await rm(file, { force: true });
  }
}

/** Standard output (`-`), a pipe or a device is written into: a rename would put a file in its place. */
function isStream(destination: string): boolean {
  if (destination === '-') return true;
  const found = statSync(destination, { throwIfNoEntry: false });
  return found !== undefined && !found.isFile();
}
