import { randomUUID } from 'node:crypto';
import { lstatSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { applyInWorker, compressToFile, makeLayerInWorker } from '../../layer/index.ts';
import type { CallOptions, Digest } from '../../oci/index.ts';
import type { StoreBase } from '../base.ts';
import { StoreError } from '../error.ts';
import type { ArchivedCacheMount, ExportedCacheMount } from './contract.ts';
import { setOwner } from './rows.ts';

/**
 * Reads a whole folder as a layer, so that owners, modes, attributes, hard links and names of any bytes are kept, and writes it
 * compressed where it is not what was written before. Names that begin with `.wh.` cannot be kept in a layer.
 */
export async function exportMount(
  base: StoreBase,
  number: number,
  { fd, known, signal }: CallOptions & { readonly fd: number; readonly known: Digest | undefined },
): Promise<ExportedCacheMount> {
  const folder = base.paths.cacheMount(number);
  const { uid, gid, mode } = lstatSync(folder);
  const owner = { uid, gid, mode: mode & 0o7777 };
  const row = base.db.get<{ archive: Digest | null; last_used: number }>(
    'SELECT archive, last_used FROM cache_mounts WHERE number = ?',
    number,
  );
  if (known !== undefined && row?.archive === known) return { diffId: known, written: undefined, owner };
  // Called after the process, so that it is cleared away with what else that was writing.
  const headerList = path.join(base.paths.ingest, `${base.leases.owner()}-${randomUUID()}`);
  try {
    const { diffId } = await makeLayerInWorker(
      { folder, options: { privileges: base.privileges, lowers: [], headerList } },
      { signal },
    );
    const isKnown = diffId === known;
    const source = { headerList, folder };
    const written = isKnown ? undefined : await compressToFile(source, fd, { compression: 'zstd', signal });
    if (written !== undefined && written.diffId !== diffId) throw changed();
    await remember(base, { number, diffId, lastUsed: row?.last_used ?? 0 });
    const size = written && { digest: written.digest, size: written.size };
    return { diffId, written: size, owner };
  } finally {
    await fs.rm(headerList, { force: true });
  }
}

/** Unless it was used meanwhile. */
async function remember(
  { db }: StoreBase,
  { number, diffId, lastUsed }: { readonly number: number; readonly diffId: Digest; readonly lastUsed: number },
): Promise<void> {
  await db.writeVolatileSoon(() => {
    const users = db.get<{ count: number }>('SELECT count(*) AS count FROM cache_mount_users WHERE mount = ?', number);
    if ((users?.count ?? 0) > 1) return;
    db.run('UPDATE cache_mounts SET archive = ? WHERE number = ? AND last_used = ?', diffId, number, lastUsed);
  });
}

function changed(): StoreError {
  return new StoreError('IO_FAILED', 'a cache mount was changed while it was exported');
}

/** Fills a new folder from an archive that nobody vouches for: the rules for layers of strangers apply. */
export async function importMount(
  base: StoreBase,
  { number, file, archived }: { readonly number: number; readonly file: string; readonly archived: ArchivedCacheMount },
  { signal }: CallOptions,
): Promise<void> {
  const folder = base.paths.cacheMount(number);
  const { digest, size, diffId, lastUsed, created, owner } = archived;
  const expect = { digest, size };
  const applied = await applyInWorker({ path: file }, folder, {
    privileges: base.privileges,
    whiteouts: 'literal',
    expect,
    signal,
  });
  if (applied.diffId !== diffId) throw new StoreError('IO_FAILED', `${file} holds another tar than its index says`);
  setOwner(base, folder, owner);
  await base.db.writeVolatileSoon(() => {
    const sql = 'UPDATE cache_mounts SET ready = 1, archive = ?, last_used = ?, created = ? WHERE number = ?';
    base.db.run(sql, diffId, lastUsed, created, number);
  });
}
