import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import {
  type CompressOptions,
  type DraftLayer,
  expectLayerWork,
  type LayerTask,
  makeLayerInWorker,
  packToFile,
} from '../layer/index.ts';
import { chainIdOf, type Digest } from '../oci/index.ts';
import type { RootMount } from '../system/index.ts';
import type { StoreBase } from './base.ts';
import type {
  ActiveSnapshot,
  DiffSnapshotOptions,
  PackSnapshotOptions,
  RestackOptions,
  Snapshots,
} from './contract.ts';
import { chooseDriver } from './driver.ts';
import { asStoreError, StoreError } from './error.ts';
import type { Materializer } from './materialize.ts';
import type { SnapshotPaths } from './paths.ts';
import { restack } from './restack.ts';
import { type DriverName, findSnapshot, type SnapshotRow, snapshotId, snapshotNumber } from './snapshot-rows.ts';
import { copyAttributes } from './tree/attributes.ts';
import type { Trash } from './trash.ts';
import type { Unsynced } from './unsynced.ts';

/** Bytes of a tar that holds 128 entries at most. */
const smallLayer = 128 * 512;

export interface SnapshotParts {
  readonly trash: Trash;
  readonly unsynced: Unsynced;
  /** Keeps the blob of a layer that `make` writes, and gives what it tells of the layer. */
  readonly packed: Materializer['packed'];
}

/** Unpacked layers and the writable views over them. */
export class StoreSnapshots implements Snapshots {
  readonly #base: StoreBase;
  readonly #trash: Trash;
  readonly #unsynced: Unsynced;
  readonly #packed: SnapshotParts['packed'];
  #driver: DriverName | undefined;

  constructor(base: StoreBase, parts: SnapshotParts) {
    this.#base = base;
    this.#trash = parts.trash;
    this.#unsynced = parts.unsynced;
    this.#packed = parts.packed;
  }

  get driver(): DriverName {
    this.#driver ??= chooseDriver(this.#base);
    return this.#driver;
  }

  has(chainId: Digest): boolean {
    return this.#find(chainId) !== undefined;
  }

  async prepare(parent: Digest | undefined): Promise<ActiveSnapshot> {
    if (this.#base.privileges.kind === 'none') throw unsupported();
    if (parent !== undefined) this.#base.leases.add('snapshot', parent); // before the look, so that it stays as it is seen
    const stack = this.#stack(parent);
    const id = this.#insert(parent);
    const paths = this.#base.paths.snapshot(id);
    try {
      // A handful of calls on one folder: in the pool of threads each would wait ten times as long as it takes.
      mkdirSync(paths.folder, { mode: 0o700 });
      const top = stack[0] === undefined ? undefined : this.#base.paths.snapshot(idOf(stack[0])).tree;
      if (this.driver === 'overlay') makeUpper(paths, top);
      else
        await this.#base.worker.perform({
          kind: 'copy',
          from: top,
          to: paths.tree,
          stats: paths.stats,
          links: paths.links,
        });
      return this.#active(id, parent, stack);
    } catch (error) {
      await this.#remove(id);
      throw asStoreError(error, 'cannot make a snapshot');
    }
  }

  expectDiff(): Disposable {
    return expectLayerWork();
  }

  layerTask(active: ActiveSnapshot, { clampTo }: DiffSnapshotOptions = {}): LayerTask {
    const { privileges } = this.#base;
    const { tree, stats, headerList } = this.#base.paths.snapshot(active.id);
    const lowers = active.parent === undefined ? [] : this.lowers(active.parent);
    const statsFile = active.driver === 'copy' ? stats : undefined;
    return { folder: tree, statsFile, options: { privileges, lowers, headerList, clampTo } };
  }

  async diff(active: ActiveSnapshot, options: PackSnapshotOptions = {}): Promise<DraftLayer> {
    const { signal, blobForm } = options;
    const task = this.layerTask(active, options);
    if (blobForm !== undefined) {
      const make = (fd: number, how: CompressOptions) => packToFile(task, fd, how);
      const draft = await this.#packed(blobForm, make, { signal }).catch(() => undefined);
      if (draft !== undefined) return draft;
      // What was in the way is told by who makes the layer, or by who asks for the blob.
      signal?.throwIfAborted();
    }
    try {
      return await makeLayerInWorker(task, { signal });
    } catch (error) {
      throw asStoreError(error, 'cannot make a layer');
    }
  }

  async commit(active: ActiveSnapshot, draft: DraftLayer): Promise<Digest> {
    const chainId = chainIdOf(active.parent, draft.diffId);
    const paths = this.#base.paths.snapshot(active.id);
    // What overlayfs leaves there is its own: a handful of files with plain names.
    rmSync(paths.work, { recursive: true, force: true });
    await this.#relink(active, paths);
    for (const file of [paths.stats, paths.links]) rmSync(file, { force: true });
    this.#unsynced.mark();
    // A power cut takes what is unsynced in any case; what is durable later makes all rows before it so.
    const won = await this.#base.db.writeVolatileSoon(() => this.#name(active, draft, chainId));
    const isSmall = active.driver === 'overlay' && draft.size <= smallLayer;
    if (!won) await this.#remove(active.id, isSmall ? 'small' : 'any');
    return chainId;
  }

  async #relink({ driver, parent }: ActiveSnapshot, { tree, links }: SnapshotPaths): Promise<void> {
    if (driver !== 'copy' || parent === undefined || !existsSync(links)) return;
    const [lower] = this.lowers(parent);
    if (lower !== undefined) await this.#base.worker.perform({ kind: 'relink', lower, tree, links });
  }

  /** overlayfs refuses an upper that a volatile mount was not synced from; the machine did not crash since, so nothing is lost. */
  async reopen(active: ActiveSnapshot): Promise<void> {
    const marks = path.join(this.#base.paths.snapshot(active.id).work, 'work', 'incompat');
    await fs.rm(marks, { recursive: true, force: true });
  }

  async discard(active: ActiveSnapshot): Promise<void> {
    const sql = "SELECT 1 FROM snapshots WHERE number = ? AND state = 'active'";
    if (this.#base.db.get(sql, snapshotNumber(active.id)) === undefined) return;
    await this.#remove(active.id);
  }

  restack(options: RestackOptions): Promise<Digest> {
    return restack(this.#base, this, options);
  }

  view(chainId: Digest | undefined): RootMount {
    const stack = this.#stack(chainId);
    if (this.driver === 'overlay') return this.#overlay(stack, {});
    const tree = stack[0] && this.#base.paths.snapshot(idOf(stack[0])).tree;
    return tree === undefined ? this.#overlay([], {}) : { kind: 'directory', path: tree, readOnly: true };
  }

  lowers(chainId: Digest): readonly string[] {
    return this.#stack(chainId).map((row) => this.#base.paths.snapshot(idOf(row)).tree);
  }

  /** Rows of a stack, uppermost first: every layer (overlay), or the top alone, which has all of them in it (copy). */
  #stack(chainId: Digest | undefined): readonly SnapshotRow[] {
    const rows: SnapshotRow[] = [];
    for (let next = chainId; next !== undefined; ) {
      const row = this.#find(next);
      if (row === undefined) throw new StoreError('SNAPSHOT_MISSING', `${next} is not unpacked`);
      rows.push(row);
      next = this.driver === 'copy' ? undefined : (row.parent ?? undefined);
    }
    return rows;
  }

  #find(chainId: Digest): SnapshotRow | undefined {
    const row = findSnapshot(this.#base.db, chainId, this.driver);
    // A folder that somebody deleted by hand is a miss, not an error much later.
    return row !== undefined && existsSync(this.#base.paths.snapshot(idOf(row)).tree) ? row : undefined;
  }

  /** The row comes before the folder, so that a killed process leaves no folder that nobody knows of. */
  #insert(parent: Digest | undefined): string {
    return this.#base.db.writeVolatile(() => {
      this.#base.db.run(
        "INSERT INTO snapshots (driver, state, parent, owner) VALUES (?, 'active', ?, ?)",
        this.driver,
        parent ?? null,
        this.#base.leases.owner(),
      );
      return snapshotId(this.#base.db.get<{ id: number }>('SELECT last_insert_rowid() AS id')?.id ?? 0);
    });
  }

  #active(id: string, parent: Digest | undefined, stack: readonly SnapshotRow[]): ActiveSnapshot {
    const { tree, headerList } = this.#base.paths.snapshot(id);
    const root: RootMount =
      this.driver === 'overlay'
        ? this.#overlay(stack, { upper: `${id}/fs`, work: `${id}/work` })
        : { kind: 'directory', path: tree, readOnly: false };
    return { id, parent, root, folder: tree, driver: this.driver, headerList };
  }

  #overlay(stack: readonly SnapshotRow[], upper: { upper?: string; work?: string }): RootMount {
    return {
      kind: 'overlay',
      cwd: this.#base.paths.snapshots,
      lowers: stack.map((row) => path.join(idOf(row), 'fs')),
      ...upper,
      volatile: upper.upper !== undefined,
      userXattr: this.#base.privileges.overlayXattrPrefix === 'user.overlay.',
    };
  }

  /** False where another process has named the same chain before. */
  #name(active: ActiveSnapshot, draft: DraftLayer, chainId: Digest): boolean {
    const { db, leases, paths } = this.#base;
    leases.add('snapshot', chainId);
    leases.add('layer', draft.diffId);
    const first = this.#find(chainId);
    if (first !== undefined) return false;
    // A condemned one, or one whose folder is gone.
    db.run(
      'UPDATE snapshots SET chain_id = NULL, condemned = 1 WHERE chain_id = ? AND driver = ?',
      chainId,
      active.driver,
    );
    const hasHeaders = existsSync(paths.snapshot(active.id).headerList) ? 1 : 0;
    const changed = db.run(
      `UPDATE snapshots SET state = 'committed', owner = NULL, chain_id = ?, diff_id = ?, size = ?, has_headers = ?
       WHERE number = ? AND state = 'active' AND owner = ?`,
      chainId,
      draft.diffId,
      draft.size,
      hasHeaders,
      snapshotNumber(active.id),
      leases.owner(),
    );
    if (changed === 0) throw new StoreError('SNAPSHOT_MISSING', 'the snapshot was discarded or committed before');
    return true;
  }

  async #remove(id: string, size: 'small' | 'any' = 'any'): Promise<void> {
    const { folder } = this.#base.paths.snapshot(id);
    try {
      await (size === 'small' ? this.#trash.deleteSmall(folder) : this.#trash.delete([folder]));
    } finally {
      // In the trash it is nobody's, even if it cannot be deleted.
      await this.#base.db.writeVolatileSoon(() => {
        this.#base.db.run("DELETE FROM snapshots WHERE number = ? AND state = 'active'", snapshotNumber(id));
      });
    }
  }
}

/** The top folder of an overlay shows the upper's attributes, so the upper begins with those of the layer below. */
function makeUpper(paths: SnapshotPaths, top: string | undefined): void {
  mkdirSync(paths.work, { mode: 0o700 });
  mkdirSync(paths.tree);
  chmodSync(paths.tree, 0o755);
  if (top === undefined) return;
  copyAttributes(Buffer.from(top), Buffer.from(paths.tree), lstatSync(top, { bigint: true }));
}

function idOf(row: SnapshotRow): string {
  return snapshotId(row.number);
}

function unsupported(): StoreError {
  return new StoreError('SNAPSHOTS_UNSUPPORTED', 'layers cannot be unpacked without a user namespace', {
    hint: 'run as root, or where user namespaces are allowed',
  });
}
