import type { Digest } from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import type { CacheMounts } from './cache-mounts/contract.ts';
import type { StoreUsage, UsageRow } from './contract.ts';
import { markImages, markLive } from './mark.ts';
import { StoreSizes } from './sizes.ts';

const none: UsageRow = { total: 0, active: 0, size: 0, reclaimable: 0 };

/** What `docker system df` shows: bytes of blobs that are here and of unpacked layers. */
export async function storeUsage(base: StoreBase, cacheMounts: CacheMounts): Promise<StoreUsage> {
  const { db } = base;
  const images = db.all<{ id: Digest }>('SELECT id FROM images').map((row) => row.id);
  const active = images.filter((id) => db.get('SELECT 1 FROM containers WHERE image_id = ?', id) !== undefined);
  const sizes = new StoreSizes(base.db);
  const [ofAll, ofActive] = [sizes.of(markImages(db, images)), sizes.of(markImages(db, active))];
  const containers = count(base, 'containers');
  const records = cacheMounts.list();
  const mountSizes = await cacheMounts.measure(records);
  const [inMounts, inUse] = [sum(mountSizes), sum(mountSizes.filter((_, index) => records[index]?.inUse === true))];
  const mountsInUse = records.filter((record) => record.inUse).length;
  const size = sizes.of(markLive(db)) - ofAll + inMounts;
  return {
    images: { total: images.length, active: active.length, size: ofAll, reclaimable: ofAll - ofActive },
    containers: { ...none, total: containers, active: containers },
    volumes: none,
    // Cache mounts are part of it, as in docker.
    buildCache: {
      total: count(base, 'cache') + records.length,
      active: mountsInUse,
      size,
      reclaimable: size - inUse,
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function count(base: StoreBase, table: 'containers' | 'cache'): number {
  return base.db.get<{ count: number }>(`SELECT count(*) AS count FROM ${table}`)?.count ?? 0;
}
