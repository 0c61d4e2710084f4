import fs from 'node:fs/promises';
import path from 'node:path';
import type { StoreBase } from './base.ts';
import type { ContainerRecord } from './contract.ts';
import { asStoreError, StoreError } from './error.ts';
import type { Trash } from './trash.ts';

/** Makes `containers/<id>`; its row comes first, so that a reaper knows of it. Returns the folder. */
export async function registerContainer(base: StoreBase, record: ContainerRecord): Promise<string> {
  if (!/^[a-z0-9-]+$/.test(record.id)) throw new StoreError('NOT_FOUND', `not a container's id: ${record.id}`);
  const bundle = path.join(base.paths.containers, record.id);
  const owner = base.leases.owner();
  base.db.writeVolatile(() => {
    const sql = 'INSERT INTO containers (id, bundle, owner, image_id) VALUES (?, ?, ?, ?)';
    base.db.run(sql, record.id, bundle, owner, record.image ?? null);
  });
  try {
    await fs.mkdir(bundle, { mode: 0o700 });
  } catch (error) {
    base.db.writeVolatile(() => base.db.run('DELETE FROM containers WHERE id = ?', record.id));
    throw asStoreError(error, 'cannot make the folder of a container');
  }
  return bundle;
}

export async function forgetContainer(base: StoreBase, trash: Trash, id: string): Promise<void> {
  const row = base.db.get<{ bundle: string }>('SELECT bundle FROM containers WHERE id = ?', id);
  if (row === undefined) return;
  try {
    await trash.delete([row.bundle]);
  } finally {
    base.db.writeVolatile(() => base.db.run('DELETE FROM containers WHERE id = ?', id));
  }
}
