import { join } from 'node:path';
import { messageOf } from '../../../errors.ts';
import type { ArchivedCacheMount, Store } from '../../../store/index.ts';
import { fileOf, readIndex } from './index-file.ts';

/** Which cache mounts are read, and who hears of those that cannot be. */
export interface ImportCacheMountsOptions {
  /** Which cache mounts; all of the folder unless given. */
  readonly ids?: ReadonlySet<string> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of an archive that cannot be had; the others are tried all the same. */
  onProblem(message: string): void;
}

/** What an import of cache mounts did. */
export interface ImportReport {
  /** Whether the folder holds an export at all. */
  readonly found: boolean;
  readonly imported: readonly ArchivedCacheMount[];
  /** They are here already, as new as these or newer. */
  readonly skipped: readonly ArchivedCacheMount[];
}

/**
 * Reads cache mounts that `exportCacheMounts` wrote: those that are not here, or are older here. Archives are checked against the
 * digests of the index before anything is seen of them.
 * @throws BuildError ARCHIVE_INVALID for an index that cannot be relied on
 */
export async function importCacheMounts(
  store: Store,
  folder: string,
  options: ImportCacheMountsOptions,
): Promise<ImportReport> {
  const index = await readIndex(folder);
  const [imported, skipped]: [ArchivedCacheMount[], ArchivedCacheMount[]] = [[], []];
  for (const mount of index?.mounts ?? []) {
    if (options.ids?.has(mount.id) === false) continue;
    if (isHere(store, mount)) {
      skipped.push(mount);
      continue;
    }
    try {
      const { signal } = options;
      await store.cacheMounts.importFrom(join(folder, fileOf(mount.digest)), mount, { signal });
      imported.push(mount);
    } catch (error) {
      options.signal?.throwIfAborted();
      options.onProblem(`the cache mount ${JSON.stringify(mount.id)} cannot be imported: ${messageOf(error)}`);
    }
  }
  return { found: index !== undefined, imported, skipped };
}

function isHere(store: Store, mount: ArchivedCacheMount): boolean {
  return store.cacheMounts.list().some((record) => {
    if (record.id !== mount.id || record.origin !== mount.origin) return false;
    return record.archive === mount.diffId || record.lastUsed >= mount.lastUsed;
  });
}
