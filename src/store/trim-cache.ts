import type { Digest } from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import { type CacheCandidate, cacheOrder } from './cache-order.ts';
import type { TrimOptions, TrimReport } from './contract.ts';
import type { GarbageCollector } from './garbage.ts';
import { markLive } from './mark.ts';
import { StoreSizes } from './sizes.ts';

const nothing: TrimReport = { deletedCacheRecords: [], spaceReclaimed: 0 };

interface Row {
  readonly key: Digest;
  readonly diff_id: Digest;
  readonly parent: Digest | null;
  readonly duration: number | null;
  readonly used: number | null;
}

/**
 * Keeps the build cache within a size: gives up the least valuable steps until what remains fits. What images, names and living
 * processes hold stays, and does not count.
 */
export async function trimCache(
  base: StoreBase,
  garbage: GarbageCollector,
  { limit, ...options }: TrimOptions,
): Promise<TrimReport> {
  // Nearly always so, and quickly known.
  if (StoreSizes.total(base.db) <= limit) return nothing;
  const deletedCacheRecords = await base.db.writeSoon(() => giveUp(base, limit), options);
  if (deletedCacheRecords.length === 0) return nothing;
  return { deletedCacheRecords, spaceReclaimed: await garbage.collect(options) };
}

/** Inside of a transaction. */
function giveUp({ db }: StoreBase, limit: number): readonly Digest[] {
  const sizes = new StoreSizes(db);
  const held = markLive(db, { cache: false, leases: false });
  let size = sizes.of(markLive(db, { leases: false })) - sizes.of(held);
  if (size <= limit) return [];
  const inUse = new Set(db.all<{ ref: Digest }>("SELECT ref FROM leases WHERE kind = 'layer'").map(({ ref }) => ref));
  const rows = db.all<Row>('SELECT key, diff_id, parent, duration, used FROM cache');
  const order = cacheOrder(
    rows.map((row) => candidateOf(row, sizes)),
    Date.now(),
  );
  const holders = new Holders(order);
  const given: Digest[] = [];
  for (const each of order) {
    if (size <= limit) break;
    if (inUse.has(each.diffId)) continue;
    db.run('DELETE FROM cache WHERE key = ?', each.key);
    for (const kind of ['created', 'duration']) db.run('DELETE FROM facts WHERE kind = ? AND key = ?', kind, each.key);
    given.push(each.key);
    if (holders.release(each) && !held.layers.has(each.diffId)) size -= each.size;
  }
  return given;
}

function candidateOf(row: Row, sizes: StoreSizes): CacheCandidate {
  return {
    key: row.key,
    diffId: row.diff_id,
    parent: row.parent ?? undefined,
    duration: row.duration ?? undefined,
    used: row.used ?? 0,
    size: sizes.ofLayer(row.diff_id),
  };
}

/** How many records hold each layer: their own, or one that they stand on. */
class Holders {
  readonly #counts = new Map<Digest, number>();

  constructor(records: readonly CacheCandidate[]) {
    for (const { diffId } of records) this.#counts.set(diffId, (this.#counts.get(diffId) ?? 0) + 1);
  }

  /** Whether nobody holds its layer any more. */
  release({ diffId }: CacheCandidate): boolean {
    const left = (this.#counts.get(diffId) ?? 1) - 1;
    this.#counts.set(diffId, left);
    return left === 0;
  }
}
