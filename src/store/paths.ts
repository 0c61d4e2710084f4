import path from 'node:path';
import { algorithmOf, type Digest, hexOf } from '../oci/index.ts';

/** Where things lie below the store's root (DESIGN "Data on disk"). */
export interface StorePaths {
  readonly root: string;
  readonly database: string;
  readonly layoutFile: string;
  readonly indexFile: string;
  readonly blobs: string;
  readonly ingest: string;
  readonly snapshots: string;
  readonly containers: string;
  readonly locks: string;
  readonly trash: string;
  readonly cacheMounts: string;
  cacheMount(number: number): string;
  blob(digest: Digest): string;
  snapshot(id: string): SnapshotPaths;
}

export interface SnapshotPaths {
  readonly folder: string;
  /** The layer (overlay) or the whole tree (copy). */
  readonly tree: string;
  readonly work: string;
  /** The tar headers of a layer that was made here. */
  readonly headerList: string;
  /** What the tree looked like when it was copied (copy driver). */
  readonly stats: string;
  /** What had been hard links there (copy driver). */
  readonly links: string;
}

export function storePaths(root: string): StorePaths {
  const below = (name: string): string => path.join(root, name);
  const [blobs, snapshots] = [below('blobs'), below('snapshots')];
  return {
    root,
    database: below('slipway.db'),
    layoutFile: below('oci-layout'),
    indexFile: below('index.json'),
    blobs,
    ingest: below('ingest'),
    snapshots,
    containers: below('containers'),
    locks: below('locks'),
    // A dot keeps it apart from snapshot ids, and renaming into it needs no other file system.
    trash: path.join(snapshots, '.trash'),
    cacheMounts: below('cache-mounts'),
    cacheMount: (number) => path.join(below('cache-mounts'), number.toString(36)),
    blob: (digest) => path.join(blobs, algorithmOf(digest), hexOf(digest)),
    snapshot: (id) => snapshotPaths(path.join(snapshots, id)),
  };
}

function snapshotPaths(folder: string): SnapshotPaths {
  return {
    folder,
    tree: path.join(folder, 'fs'),
    work: path.join(folder, 'work'),
    headerList: path.join(folder, 'layer'),
    stats: path.join(folder, 'stats'),
    links: path.join(folder, 'links'),
  };
}
