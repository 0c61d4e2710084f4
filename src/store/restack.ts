import fs from 'node:fs/promises';
import path from 'node:path';
import { applyInWorker, compressInWorker, diffStackInWorker } from '../layer/index.ts';
import { chainIdOf, type Digest } from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import type { ActiveSnapshot, RestackOptions, Snapshots } from './contract.ts';
import { asStoreError } from './error.ts';

/** See `Snapshots.restack`. */
export async function restack(base: StoreBase, snapshots: Snapshots, options: RestackOptions): Promise<Digest> {
  const { top, below, onto, clampTo } = options;
  const key = JSON.stringify([top, below ?? null, onto ?? null, clampTo ?? null]);
  const known = base.db.get<{ value: Digest }>(
    "SELECT value FROM facts WHERE kind = 'restack' AND key = ?",
    key,
  )?.value;
  if (known !== undefined) {
    base.leases.add('snapshot', chainIdOf(onto, known)); // before the look, so that it stays as it is seen
    if (snapshots.has(chainIdOf(onto, known))) return known;
  }
  for (const chainId of [top, below]) if (chainId !== undefined) base.leases.add('snapshot', chainId);
  const active = await snapshots.prepare(onto);
  try {
    await fill(base, snapshots, { ...options, active });
    const draft = await snapshots.diff(active, options);
    await snapshots.commit(active, draft);
    base.db.writeVolatile(() => {
      const sql = "INSERT OR REPLACE INTO facts (kind, key, value) VALUES ('restack', ?, ?)";
      base.db.run(sql, key, draft.diffId);
    });
    return draft.diffId;
  } catch (error) {
    await snapshots.discard(active).catch(() => undefined);
    throw asStoreError(error, 'cannot make one layer of several');
  }
}

/** Lets what differs flow as a tar from the folders of the stack into the new one. */
async function fill(
  base: StoreBase,
  snapshots: Snapshots,
  { top, below, onto, clampTo, signal, active }: RestackOptions & { readonly active: ActiveSnapshot },
): Promise<void> {
  const { paths, privileges } = base;
  const lowersOf = (chainId: Digest | undefined): readonly string[] =>
    chainId === undefined ? [] : snapshots.lowers(chainId);
  const headerList = path.join(paths.snapshot(active.id).folder, 'stack');
  const clamped = clampTo === undefined ? {} : { clampTo };
  const how = { privileges, lowers: lowersOf(below), headerList, payloadRoot: paths.snapshots, ...clamped };
  await diffStackInWorker(lowersOf(top), how, { signal });
  const { stream, result } = compressInWorker({ headerList, folder: paths.snapshots }, { compression: 'none', signal });
  result.catch(() => {}); // the stream fails with the same error
  await applyInWorker(stream, active.folder, {
    privileges,
    whiteouts: active.driver === 'overlay' ? 'overlay' : 'delete',
    lowers: active.driver === 'overlay' ? lowersOf(onto) : [],
    signal,
  });
  await fs.rm(headerList);
}
