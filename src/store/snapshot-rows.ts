import { existsSync } from 'node:fs';
import type { Digest } from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import type { Database } from './database.ts';

export type DriverName = 'overlay' | 'copy';

export interface SnapshotRow {
  readonly number: number;
  readonly driver: DriverName;
  readonly parent: Digest | null;
  readonly chain_id: Digest;
  readonly diff_id: Digest;
  readonly size: number;
  readonly has_headers: 0 | 1;
  readonly synced: 0 | 1;
}

const columns = 'number, driver, parent, chain_id, diff_id, size, has_headers, synced';

/** Short, so that the folders of a stack of 127 layers fit into one page of mount options. */
export function snapshotId(number: number): string {
  return number.toString(36);
}

export function snapshotNumber(id: string): number {
  return Number.parseInt(id, 36);
}

/** The committed snapshot of a chain, by the driver that is to mount it. */
export function findSnapshot(db: Database, chainId: Digest, driver: DriverName): SnapshotRow | undefined {
  return db.get<SnapshotRow>(
    `SELECT ${columns} FROM snapshots WHERE chain_id = ? AND driver = ? AND state = 'committed' AND condemned = 0`,
    chainId,
    driver,
  );
}

/**
 * A snapshot whose layer this is and whose tar headers were kept: the layer's bytes can be made from it. One whose folder somebody
 * deleted by hand is none.
 */
export function findDerivable({ db, paths }: Pick<StoreBase, 'db' | 'paths'>, diffId: Digest): SnapshotRow | undefined {
  const rows = db.all<SnapshotRow>(
    `SELECT ${columns} FROM snapshots
     WHERE diff_id = ? AND has_headers = 1 AND state = 'committed' AND condemned = 0`,
    diffId,
  );
  return rows.find(({ number }) => existsSync(paths.snapshot(snapshotId(number)).tree));
}

/** Any committed snapshot of a layer. */
export function hasSnapshotOfLayer(db: Database, diffId: Digest): boolean {
  const sql = "SELECT 1 FROM snapshots WHERE diff_id = ? AND state = 'committed' AND condemned = 0 LIMIT 1";
  return db.get(sql, diffId) !== undefined;
}
