import fs from 'node:fs';
import path from 'node:path';
import { chainIdOf, type Digest, type ImageConfig } from '../../src/oci/index.ts';
import type { ActiveSnapshot, Store } from '../../src/store/index.ts';

export interface BuiltImage {
  readonly id: Digest;
  readonly config: ImageConfig;
}

/** Files of one layer by path. */
export type Files = Readonly<Record<string, string>>;

/** Builds an image of one layer per element, without mounting anything: the writer puts files into the view's folder. */
export async function buildImage(
  store: Store,
  layers: readonly Files[],
  names: readonly string[],
): Promise<BuiltImage> {
  const diffIds: Digest[] = [];
  let parent: Digest | undefined;
  for (const files of layers) {
    const diffId = await buildLayer(store, parent, files);
    parent = chainIdOf(parent, diffId);
    diffIds.push(diffId);
  }
  const config: ImageConfig = {
    platform: { os: 'linux', architecture: 'amd64' },
    config: { Cmd: ['/bin/sh'] },
    diffIds,
    history: [],
  };
  return { id: await store.images.create(config, names), config };
}

export async function buildLayer(store: Store, parent: Digest | undefined, files: Files): Promise<Digest> {
  const active = await store.snapshots.prepare(parent);
  writeFiles(active, files);
  const draft = await store.snapshots.diff(active, { clampTo: 1_600_000_000 });
  await store.snapshots.commit(active, draft);
  return draft.diffId;
}

export function writeFiles(active: ActiveSnapshot, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(active.folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
}
