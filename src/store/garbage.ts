import { existsSync, renameSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { type CallOptions, type Digest, isDigest } from '../oci/index.ts';
import { ProcessLock } from '../system/index.ts';
import type { StoreBase } from './base.ts';
import { trashNames } from './files.ts';
import { markLive } from './mark.ts';
import { reapOwner, tolerant } from './reap.ts';
import { snapshotId, snapshotNumber } from './snapshot-rows.ts';
import { isPart, type Partials } from './partials.ts';
import type { Trash } from './trash.ts';

/** Rows swept per transaction: each is a rename of some 20 µs. */
const batchSize = 64;
/** What no row knows of is left alone until it is this old: its row may be on the way. */
const orphanAgeMs = 3_600_000;

interface Condemned {
  readonly key: string | number;
  readonly size: number;
}

/**
 * Deletes what nothing refers to: condemn everything unmarked in one transaction, then take it away in short ones, in which
 * whoever began to use it in between has the last word.
 */
export class GarbageCollector {
  readonly #base: StoreBase;
  readonly #trash: Trash;
  readonly #partials: Partials;

  constructor(base: StoreBase, trash: Trash, partials: Partials) {
    this.#base = base;
    this.#trash = trash;
    this.#partials = partials;
  }

  /** Returns the bytes that became free. */
  async collect(options: CallOptions = {}): Promise<number> {
    await this.#reapForgotten();
    await this.#base.db.writeSoon(() => this.#condemn(), options);
    const freed = (await this.sweep(options)) + this.#partials.tidy();
    await this.#deleteOrphans();
    await tolerant(() => this.#trash.empty());
    return freed;
  }

  /** Takes away what is condemned, also by a process that died since. */
  async sweep(options: CallOptions = {}): Promise<number> {
    const blobs = await this.#sweepAll((name) => this.#sweepBlobs(name), options);
    const snapshots = await this.#sweepAll((name) => this.#sweepSnapshots(name), options);
    return blobs + snapshots;
  }

  #condemn(): void {
    const { db } = this.#base;
    const live = markLive(db);
    for (const { digest } of db.all<{ digest: Digest }>('SELECT digest FROM blobs WHERE condemned = 0')) {
      if (!live.blobs.has(digest)) db.run('UPDATE blobs SET condemned = 1 WHERE digest = ?', digest);
    }
    const rows = db.all<{ number: number; chain_id: Digest; diff_id: Digest }>(
      "SELECT number, chain_id, diff_id FROM snapshots WHERE state = 'committed' AND condemned = 0",
    );
    for (const row of rows) {
      if (live.snapshots.has(row.chain_id) || live.layers.has(row.diff_id)) continue;
      db.run('UPDATE snapshots SET condemned = 1, chain_id = NULL WHERE number = ?', row.number);
    }
  }

  async #sweepAll(
    sweepBatch: (trashName: () => string) => readonly Condemned[],
    options: CallOptions,
  ): Promise<number> {
    const trashName = trashNames(this.#base.paths);
    let freed = 0;
    for (;;) {
      options.signal?.throwIfAborted();
      const batch = await this.#base.db.writeSoon(() => sweepBatch(trashName), options);
      if (batch.length === 0) return freed;
      freed += batch.reduce((sum, item) => sum + item.size, 0);
    }
  }

  /** Inside of a transaction. */
  #sweepBlobs(trashName: () => string): readonly Condemned[] {
    const { db, paths } = this.#base;
    const batch = db.all<{ key: Digest; size: number; state: string }>(
      'SELECT digest AS key, size, state FROM blobs WHERE condemned = 1 LIMIT ?',
      batchSize,
    );
    for (const { key } of batch) {
      moveIfThere(paths.blob(key), trashName());
      for (const table of ['blobs', 'sources', 'layer_blobs', 'manifests']) {
        db.run(`DELETE FROM ${table} WHERE digest = ?`, key);
      }
      db.run('DELETE FROM edges WHERE parent = ?', key);
      db.run('DELETE FROM image_forms WHERE manifest = ?', key);
    }
    return batch.map((row) => ({ key: row.key, size: row.state === 'present' ? row.size : 0 }));
  }

  #sweepSnapshots(trashName: () => string): readonly Condemned[] {
    const { db, paths } = this.#base;
    const batch = db.all<Condemned>('SELECT number AS key, size FROM snapshots WHERE condemned = 1 LIMIT ?', batchSize);
    for (const { key } of batch) {
      moveIfThere(paths.snapshot(snapshotId(Number(key))).folder, trashName());
      db.run('DELETE FROM snapshots WHERE number = ?', key);
    }
    return batch;
  }

  /** Owners whose lock file is gone, which `reapDeadProcesses` does not come across. */
  async #reapForgotten(): Promise<void> {
    const { db, paths } = this.#base;
    const owners = db.all<{ owner: string }>(
      `SELECT owner FROM leases UNION SELECT owner FROM containers UNION SELECT owner FROM cache_mount_users
       UNION SELECT owner FROM claims
       UNION SELECT owner FROM snapshots WHERE owner IS NOT NULL`,
    );
    for (const { owner } of owners) {
      if (!existsSync(path.join(paths.locks, `${owner}.db`))) await reapOwner(this.#base, this.#trash, owner);
    }
  }

  /** Files and folders without a row: left by a power cut, or by a transaction that failed after its rename. */
  async #deleteOrphans(): Promise<void> {
    const { db, paths } = this.#base;
    for (const algorithm of await fs.readdir(paths.blobs)) {
      const folder = path.join(paths.blobs, algorithm);
      await this.#deleteOld(folder, (name) => {
        const digest = `${algorithm}:${name}`;
        return isDigest(digest) && db.get('SELECT 1 FROM blobs WHERE digest = ?', digest) !== undefined;
      });
    }
    await this.#deleteOld(paths.snapshots, (name) => {
      const known = /^[0-9a-z]+$/.test(name) ? snapshotNumber(name) : -1;
      return name.startsWith('.') || db.get('SELECT 1 FROM snapshots WHERE number = ?', known) !== undefined;
    });
    if (existsSync(paths.cacheMounts)) {
      await this.#deleteOld(paths.cacheMounts, (name) => {
        const number = /^[0-9a-z]{1,10}$/.test(name) ? Number.parseInt(name, 36) : -1;
        return db.get('SELECT 1 FROM cache_mounts WHERE number = ?', number) !== undefined;
      });
    }
    await this.#deleteOld(paths.ingest, (name) => {
      if (isPart(name)) return true;
      return ProcessLock.isAlive(paths.locks, name.slice(0, '00000000-0000-0000-0000-000000000000'.length));
    });
  }

  async #deleteOld(folder: string, isKnown: (name: string) => boolean): Promise<void> {
    const orphans: string[] = [];
    for (const name of await fs.readdir(folder)) {
      if (isKnown(name)) continue;
      const file = path.join(folder, name);
      const stat = await fs.lstat(file).catch(() => undefined);
      if (stat !== undefined && Date.now() - stat.ctimeMs > orphanAgeMs) orphans.push(file);
    }
    await tolerant(() => this.#trash.delete(orphans));
  }
}

function moveIfThere(from: string, to: string): void {
  if (existsSync(from)) renameSync(from, to);
}
