import { chainIdOf, type Digest, parseImageConfig } from '../oci/index.ts';
import type { Database } from './database.ts';

/** What something still refers to. */
export interface Live {
  readonly blobs: ReadonlySet<Digest>;
  /** By chainID. */
  readonly snapshots: ReadonlySet<Digest>;
  /** By diffID. */
  readonly layers: ReadonlySet<Digest>;
}

interface LeaseRow {
  readonly kind: 'blob' | 'layer' | 'snapshot' | 'image';
  readonly ref: Digest;
}

/**
 * Walks from names, images, cache records, leases and views in work to all that they need. Inside of a transaction; the
 * leases of dead processes must be gone by then. Without `cache`, without `leases`: what is there for other reasons.
 */
export function markLive(db: Database, { cache = true, leases = true } = {}): Live {
  const marker = new Marker(db);
  for (const row of db.all<{ id: Digest; config: Uint8Array }>('SELECT id, config FROM images')) {
    marker.image(row.id, parseImageConfig(row.config).diffIds);
  }
  for (const row of db.all<{ manifest: Digest }>('SELECT manifest FROM names WHERE manifest IS NOT NULL')) {
    marker.blob(row.manifest);
  }
  const leased = leases ? db.all<LeaseRow>('SELECT DISTINCT kind, ref FROM leases') : [];
  for (const row of leased) marker.lease(row);
  const records = cache ? db.all<{ diff_id: Digest; parent: Digest | null }>('SELECT diff_id, parent FROM cache') : [];
  for (const row of records) {
    marker.layer(row.diff_id);
    marker.chain(chainIdOf(row.parent ?? undefined, row.diff_id));
  }
  const active = "SELECT parent FROM snapshots WHERE state = 'active' AND parent IS NOT NULL";
  for (const row of db.all<{ parent: Digest }>(active)) marker.chain(row.parent);
  marker.referrers();
  return marker;
}

/** The layers and stacks that images alone need, for the accounts of `usage`. */
export function markImages(db: Database, ids: readonly Digest[]): Live {
  const marker = new Marker(db);
  for (const id of ids) {
    const row = db.get<{ config: Uint8Array }>('SELECT config FROM images WHERE id = ?', id);
    if (row !== undefined) marker.image(id, parseImageConfig(row.config).diffIds);
  }
  return marker;
}

class Marker implements Live {
  readonly blobs = new Set<Digest>();
  readonly snapshots = new Set<Digest>();
  readonly layers = new Set<Digest>();
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  image(id: Digest, diffIds: readonly Digest[]): void {
    this.blob(id);
    const forms = this.#db.all<{ manifest: Digest }>('SELECT manifest FROM image_forms WHERE image_id = ?', id);
    for (const row of forms) this.blob(row.manifest);
    let chain: Digest | undefined;
    for (const diffId of diffIds) {
      chain = chainIdOf(chain, diffId);
      this.snapshots.add(chain);
      this.layer(diffId);
    }
  }

  lease({ kind, ref }: LeaseRow): void {
    if (kind === 'layer') this.layer(ref);
    else if (kind === 'snapshot') this.chain(ref);
    else this.blob(ref);
  }

  /** A blob and what it names. */
  blob(digest: Digest): void {
    const queue = [digest];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (this.blobs.has(next)) continue;
      this.blobs.add(next);
      const children = this.#db.all<{ child: Digest }>('SELECT child FROM edges WHERE parent = ?', next);
      queue.push(...children.map((row) => row.child));
    }
  }

  layer(diffId: Digest): void {
    if (this.layers.has(diffId)) return;
    this.layers.add(diffId);
    const rows = this.#db.all<{ digest: Digest }>('SELECT digest FROM layer_blobs WHERE diff_id = ?', diffId);
    for (const row of rows) this.blob(row.digest);
  }

  /** A snapshot and those below it. */
  chain(chainId: Digest): void {
    for (let next: Digest | undefined = chainId; next !== undefined && !this.snapshots.has(next); ) {
      this.snapshots.add(next);
      const row: { parent: Digest | null } | undefined = this.#db.get<{ parent: Digest | null }>(
        'SELECT parent FROM snapshots WHERE chain_id = ?',
        next,
      );
      next = row?.parent ?? undefined;
    }
  }

  /** Signatures and the like live as long as what they are about, and may have some of their own. */
  referrers(): void {
    const rows = this.#db.all<{ digest: Digest; subject: Digest }>(
      'SELECT digest, subject FROM manifests WHERE subject IS NOT NULL',
    );
    for (let before = -1; before !== this.blobs.size; ) {
      before = this.blobs.size;
      for (const row of rows) if (this.blobs.has(row.subject)) this.blob(row.digest);
    }
  }
}
