import fs from 'node:fs';
import type { Descriptor, Digest } from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import { indexChanged } from './image-index.ts';

export interface BlobRow {
  readonly digest: Digest;
  readonly size: number;
  readonly media_type: string;
  readonly state: 'present' | 'remote';
}

export interface LayerBlobRow extends BlobRow {
  readonly diff_id: Digest;
  readonly form: string | null;
  readonly verified: 0 | 1;
}

/** The form of a blob of which only an imported cache says which layer it holds. */
export const claimedByCache = 'cache';

/** The rows about blobs. A condemned one is not there: a garbage collector is at it. */
export class Blobs {
  readonly #base: StoreBase;

  constructor(base: StoreBase) {
    this.#base = base;
  }

  get(digest: Digest): BlobRow | undefined {
    return this.#base.db.get<BlobRow>(
      'SELECT digest, size, media_type, state FROM blobs WHERE digest = ? AND condemned = 0',
      digest,
    );
  }

  /** The row of a blob whose file is there with all its bytes. A file that was lost or cut short counts as none. */
  present(digest: Digest): BlobRow | undefined {
    const row = this.get(digest);
    if (row?.state !== 'present') return undefined;
    const stat = fs.statSync(this.#base.paths.blob(digest), { throwIfNoEntry: false });
    return stat?.size === row.size ? row : undefined;
  }

  /** Records a blob whose file is in its place, and leases it to this process. */
  put(descriptor: Descriptor): void {
    // A missing layer that comes may make an image whole, which index.json then lists.
    if (this.get(descriptor.digest)?.state === 'remote') indexChanged(this.#base.db);
    this.#base.db.run(
      `INSERT INTO blobs (digest, size, media_type, state) VALUES (?, ?, ?, 'present')
       ON CONFLICT (digest) DO UPDATE SET size = excluded.size, state = 'present', condemned = 0`,
      descriptor.digest,
      descriptor.size,
      descriptor.mediaType,
    );
    this.#base.leases.add('blob', descriptor.digest);
  }

  /** Records a blob that is elsewhere; one that is here stays so. */
  putRemote(descriptor: Descriptor, source: string): void {
    const { db, leases } = this.#base;
    db.run(
      `INSERT INTO blobs (digest, size, media_type, state) VALUES (?, ?, ?, 'remote')
       ON CONFLICT (digest) DO UPDATE SET state = iif(condemned, 'remote', state), condemned = 0`,
      descriptor.digest,
      descriptor.size,
      descriptor.mediaType,
    );
    db.run('INSERT OR IGNORE INTO sources (digest, source) VALUES (?, ?)', descriptor.digest, source);
    leases.add('blob', descriptor.digest);
  }

  sources(digest: Digest): readonly string[] {
    const rows = this.#base.db.all<{ source: string }>('SELECT source FROM sources WHERE digest = ?', digest);
    return rows.map((row) => row.source);
  }

  /** The blobs that are said to hold a layer: proven ones first, claims of caches last, else in the order of their coming. */
  ofLayer(diffId: Digest): readonly LayerBlobRow[] {
    return this.#base.db.all<LayerBlobRow>(
      `SELECT blobs.digest, size, media_type, state, diff_id, form, verified
       FROM layer_blobs JOIN blobs USING (digest) WHERE diff_id = ? AND condemned = 0
       ORDER BY verified DESC, form IS ?, state = 'present' DESC, seq`,
      diffId,
      claimedByCache,
    );
  }

  /**
   * Records that a blob holds a layer; `verified` only where it was inflated and hashed here. A cache's claim gives way to any
   * other and never replaces one.
   */
  putLayer(layer: { diffId: Digest; digest: Digest; form?: string; verified: boolean }): void {
    this.#base.db.run(
      `INSERT INTO layer_blobs (diff_id, digest, form, verified) VALUES (?, ?, ?, ?)
       ON CONFLICT (diff_id, digest) DO UPDATE
       SET verified = max(verified, excluded.verified),
         form = iif(excluded.form IS ?, form, coalesce(nullif(form, ?), excluded.form))`,
      layer.diffId,
      layer.digest,
      layer.form ?? null,
      layer.verified ? 1 : 0,
      claimedByCache,
      claimedByCache,
    );
  }

  /** Forgets a claim that proved wrong. */
  dropLayer(diffId: Digest, digest: Digest): void {
    this.#base.db.run('DELETE FROM layer_blobs WHERE diff_id = ? AND digest = ? AND verified = 0', diffId, digest);
  }
}

export function descriptorOf(row: BlobRow): Descriptor {
  return { mediaType: row.media_type, digest: row.digest, size: row.size };
}
