import { existsSync, statSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { ArchivedCacheMount, CacheMountRecord, Store } from '../../../store/index.ts';
import { putFile } from '../../../system/index.ts';
import { type ArchiveIndex, fileOf, indexName, readIndex } from './index-file.ts';

/** Which cache mounts are written. */
export interface ExportCacheMountsOptions {
  /** Which cache mounts; all of the store unless given. */
  readonly ids?: ReadonlySet<string> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What an export of cache mounts did. */
export interface ExportReport {
  readonly written: readonly ArchivedCacheMount[];
  readonly unchanged: readonly ArchivedCacheMount[];
}

/**
 * Writes cache mounts into a folder, an archive each, and an index that is replaced last: whoever reads it finds the old ones or the
 * new ones, also where this is cut off. What is as it was written before is not written again. Mounts that the index already has
 * and that are not among these stay in it.
 */
export async function exportCacheMounts(
  store: Store,
  folder: string,
  options: ExportCacheMountsOptions = {},
): Promise<ExportReport> {
  await mkdir(folder, { recursive: true });
  await removeAbandoned(folder);
  // One that cannot be read is replaced.
  const before = (await readIndex(folder).catch(() => undefined)) ?? { version: 1, mounts: [] };
  const [written, unchanged]: [ArchivedCacheMount[], ArchivedCacheMount[]] = [[], []];
  for (const record of latest(store.cacheMounts.list())) {
    if (options.ids?.has(record.id) === false) continue;
    const known = before.mounts.find((mount) => isSame(mount, record));
    const kept = known !== undefined && existsSync(join(folder, fileOf(known.digest))) ? known : undefined;
    const mount = await exportOne(store, folder, { record, kept, signal: options.signal });
    (mount.digest === kept?.digest ? unchanged : written).push(mount);
  }
  const now = [...written, ...unchanged];
  const others = before.mounts.filter((mount) => !now.some((each) => isSame(each, mount)));
  await writeIndex(folder, before, { version: 1, mounts: [...others, ...now].toSorted(byId) });
  return { written, unchanged };
}

/** No export takes so long. */
const abandonedMs = 24 * 3_600_000;

/** Files of exports that were killed. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^\.(?:[0-9a-f-]{36}\.part|slipway-[0-9a-f-]{36})$/.test(name)) continue;
    const file = join(folder, name);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat !== undefined && Date.now() - stat.mtimeMs > abandonedMs) await rm(file, { force: true });
  }
}

/** Of several folders for one id (`sharing=private`) the one used last. */
function latest(records: readonly CacheMountRecord[]): readonly CacheMountRecord[] {
  return records.filter((record, index) => records.findIndex((each) => isSame(each, record)) === index);
}

type Named = Pick<CacheMountRecord, 'id' | 'origin'>;

function isSame(one: Named, other: Named): boolean {
  return one.id === other.id && one.origin === other.origin;
}

function byId(a: Named, b: Named): number {
  const [one, other] = [JSON.stringify([a.id, a.origin]), JSON.stringify([b.id, b.origin])];
  return one < other ? -1 : one > other ? 1 : 0;
}

interface Work {
  readonly record: CacheMountRecord;
  readonly kept: ArchivedCacheMount | undefined;
  readonly signal: AbortSignal | undefined;
}

async function exportOne(store: Store, folder: string, { record, kept, signal }: Work): Promise<ArchivedCacheMount> {
  const draft = join(folder, `.${randomUUID()}.part`);
  const file = await open(draft, 'wx', 0o600);
  try {
    const result = await store.cacheMounts.exportTo(record, { fd: file.fd, known: kept?.diffId, signal });
    const { diffId, written, owner } = result;
    const { id, origin, created, lastUsed } = record;
    // As it was, so that nothing of the folder changes where no content did.
    if (written === undefined && kept !== undefined) return { ...kept, owner };
    if (written === undefined) throw new Error('an unknown archive was not written');
    await file.sync();
    await rename(draft, join(folder, fileOf(written.digest)));
    return { id, origin, created, lastUsed, owner, diffId, ...written };
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

async function writeIndex(folder: string, before: ArchiveIndex, index: ArchiveIndex): Promise<void> {
  const text = `${JSON.stringify(index, undefined, 2)}\n`;
  if (text === `${JSON.stringify(before, undefined, 2)}\n` && existsSync(join(folder, indexName))) return;
  await putFile(join(folder, indexName), text, { mode: 0o644 });
  const used = new Set(index.mounts.map(({ digest }) => digest));
  for (const { digest } of before.mounts) {
    if (!used.has(digest)) await rm(join(folder, fileOf(digest)), { force: true });
  }
}
