import fs from 'node:fs/promises';
import path from 'node:path';
import { ProcessLock } from '../system/index.ts';
import type { StoreBase } from './base.ts';
import type { Digest } from '../oci/index.ts';
import { forgetUser } from './cache-mounts/rows.ts';
import { StoreError } from './error.ts';
import { snapshotId } from './snapshot-rows.ts';
import type { Trash } from './trash.ts';

export interface ContainerRow {
  readonly id: string;
  readonly bundle: string;
  readonly owner: string;
  readonly image_id: Digest | null;
}

/** Clears away what processes left that did not live to close the store. Costs one folder listing where there are none. */
export async function reapDeadProcesses(base: StoreBase, trash: Trash): Promise<void> {
  const dead = ProcessLock.reapable(base.paths.locks);
  for (const uuid of dead) {
    using lock = ProcessLock.take(base.paths.locks, uuid);
    if (lock === undefined) continue;
    await reapOwner(base, trash, uuid);
    lock.remove();
  }
  if (dead.length > 0) await tolerant(() => trash.empty());
}

/** The caller knows that the owner is dead. */
export async function reapOwner(base: StoreBase, trash: Trash, uuid: string): Promise<void> {
  await reapContainers(base, trash, uuid);
  const active = base.db.all<{ number: number }>(
    "SELECT number FROM snapshots WHERE owner = ? AND state = 'active'",
    uuid,
  );
  const folders = active.map((row) => base.paths.snapshot(snapshotId(row.number)).folder);
  await tolerant(() => trash.delete(folders));
  for (const name of await fs.readdir(base.paths.ingest)) {
    if (name.startsWith(uuid)) await fs.rm(path.join(base.paths.ingest, name), { force: true });
  }
  await base.db.writeSoon(() => {
    base.db.run("DELETE FROM snapshots WHERE owner = ? AND state = 'active'", uuid);
    base.db.run('DELETE FROM leases WHERE owner = ?', uuid);
    forgetUser(base, uuid);
    base.db.run('DELETE FROM claims WHERE owner = ?', uuid);
  });
}

async function reapContainers(base: StoreBase, trash: Trash, uuid: string): Promise<void> {
  const rows = base.db.all<ContainerRow>('SELECT id, bundle, owner, image_id FROM containers WHERE owner = ?', uuid);
  for (const row of rows) {
    await base.options.reapContainer?.(row.bundle, row.id);
    await tolerant(() => trash.delete([row.bundle]));
    await base.db.writeSoon(() => base.db.run('DELETE FROM containers WHERE id = ?', row.id));
  }
}

/** What cannot be deleted lies in the trash by then and is nobody's; it must not keep the store from opening. */
export async function tolerant(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'CANNOT_DELETE') throw error;
  }
}
