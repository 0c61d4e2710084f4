import { join } from 'node:path';
import type { Digest } from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import type { CacheMounts } from './cache-mounts/contract.ts';
import type { ImageRecord, Images, PruneOptions, PruneReport } from './contract.ts';
import type { GarbageCollector } from './garbage.ts';
import type { ImageIndexFile } from './image-index.ts';
import { removeImage } from './images.ts';
import type { Partials } from './partials.ts';
import type { Trash } from './trash.ts';

interface Removed {
  readonly untagged: string[];
  readonly deleted: Digest[];
  readonly deletedCacheRecords: readonly Digest[];
}

/** Removes images that nobody needs, cache records if asked for, and then what only they had kept. */
export async function pruneStore(
  base: StoreBase,
  parts: {
    readonly garbage: GarbageCollector;
    readonly indexFile: ImageIndexFile;
    readonly cacheMounts: CacheMounts;
    readonly trash: Trash;
    readonly images: Images;
    readonly partials: Partials;
  },
  options: PruneOptions,
): Promise<PruneReport> {
  const removed = await base.db.writeSoon((): Removed => {
    const { untagged, deleted } =
      options.images === false ? { untagged: [], deleted: [] } : removeImages(base, parts.images, options);
    parts.indexFile.changed();
    return { untagged, deleted, deletedCacheRecords: options.buildCache ? removeCache(base, options.before) : [] };
  }, options);
  parts.indexFile.flushSoon();
  const mounts = options.buildCache
    ? await removeCacheMounts(parts.cacheMounts, options.before)
    : { deleted: [], freed: 0 };
  // Commits that builds have fetched are worth a download and no more.
  if (options.buildCache && options.before === undefined) await parts.trash.delete([join(base.paths.root, 'git')]);
  const unfinished = parts.partials.tidy({ all: true });
  const spaceReclaimed = mounts.freed + unfinished + (await parts.garbage.collect(options));
  return { ...removed, deletedCacheMounts: mounts.deleted, spaceReclaimed };
}

/** Those that a step uses stay. */
async function removeCacheMounts(
  cacheMounts: CacheMounts,
  before = Number.POSITIVE_INFINITY,
): Promise<{ readonly deleted: readonly string[]; readonly freed: number }> {
  const records = cacheMounts.list().filter(({ lastUsed }) => lastUsed < before);
  const sizes = await cacheMounts.measure(records);
  const deleted = new Set(await cacheMounts.remove(records));
  const freed = records.reduce((sum, { name }, index) => sum + (deleted.has(name) ? (sizes[index] ?? 0) : 0), 0);
  return { deleted: records.filter(({ name }) => deleted.has(name)).map(({ id }) => id), freed };
}

/** Inside of a transaction. An image that a container or a living process holds stays. */
function removeImages(base: StoreBase, images: Images, options: PruneOptions): Pick<Removed, 'untagged' | 'deleted'> {
  const { db } = base;
  const dangling = `AND NOT EXISTS (SELECT 1 FROM names WHERE image_id = images.id)
       AND NOT EXISTS (
         SELECT 1 FROM manifests JOIN edges ON edges.child = manifests.digest JOIN names ON names.manifest = edges.parent
         WHERE manifests.image_id = images.id
       )`;
  const rows = db.all<{ id: Digest }>(
    `SELECT id FROM images
     WHERE NOT EXISTS (SELECT 1 FROM containers WHERE image_id = images.id)
       AND NOT EXISTS (SELECT 1 FROM leases WHERE kind = 'image' AND ref = images.id)
       ${options.all ? '' : dangling}
     ORDER BY seq`,
  );
  const [untagged, deleted]: [string[], Digest[]] = [[], []];
  for (const { id } of rows.filter((row) => isChosen(images.find(row.id), options))) {
    const image = removeImage(base, id);
    untagged.push(...image.untagged);
    deleted.push(...image.deleted);
  }
  const chooses = options.before !== undefined || options.chooseImage !== undefined;
  if (options.all && !chooses) untagged.push(...removeOtherNames(base));
  return { untagged, deleted };
}

function isChosen(image: ImageRecord | undefined, { before, chooseImage }: PruneOptions): boolean {
  if (image === undefined) return false;
  const created = Date.parse(image.config.created ?? '');
  return (before === undefined || created < before) && (chooseImage === undefined || chooseImage(image));
}

/** Names of indexes and artifacts. */
function removeOtherNames(base: StoreBase): string[] {
  const free = 'FROM names WHERE image_id IS NULL AND manifest NOT IN (SELECT ref FROM leases)';
  const names = base.db.all<{ name: string }>(`SELECT name ${free} ORDER BY name`).map((row) => row.name);
  base.db.run(`DELETE ${free}`);
  return names;
}

/** Inside of a transaction. A fact's worth is its cache's. */
function removeCache({ db }: StoreBase, before: number | undefined): readonly Digest[] {
  if (before === undefined) {
    const keys = db.all<{ key: Digest }>('SELECT key FROM cache ORDER BY seq').map((row) => row.key);
    db.run('DELETE FROM cache');
    db.run('DELETE FROM facts');
    return keys;
  }
  const old = 'FROM cache WHERE coalesce(used, 0) < ?';
  const keys = db.all<{ key: Digest }>(`SELECT key ${old} ORDER BY seq`, before / 1000).map((row) => row.key);
  db.run(`DELETE ${old}`, before / 1000);
  db.run("DELETE FROM facts WHERE kind IN ('created', 'duration') AND key NOT IN (SELECT key FROM cache)");
  return keys;
}
