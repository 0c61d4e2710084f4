import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Digest, parseImageConfig } from '../oci/index.ts';
import { bootId, type Privileges, startDetached } from '../system/index.ts';
import type { StoreBase } from './base.ts';
import type { ImageIndexFile } from './image-index.ts';
import { removeImage } from './images.ts';

/**
 * Snapshots are not synced one by one. Until one syncfs has gone through, they are `unsynced`, and a marker in a folder that
 * does not outlive the machine's run says that their bytes are at least in its memory. A store opened without the marker
 * (reboot, power cut, copied disk) drops them; they come back from blobs or by building.
 */
export class Unsynced {
  readonly #base: StoreBase;
  readonly #indexFile: ImageIndexFile;
  #marker: string | undefined;
  #wantsSync = false;

  constructor(base: StoreBase, indexFile: ImageIndexFile) {
    this.#base = base;
    this.#indexFile = indexFile;
  }

  /**
   * Takes note of finished syncs and drops what may be lost; true: something was, and its folders are to be swept up.
   * `othersAlive`: whether a living process works with the store.
   */
  check(options: { readonly othersAlive: () => boolean }): boolean {
    const { db } = this.#base;
    const unsynced = "FROM snapshots WHERE synced = 0 AND state = 'committed' LIMIT 1";
    if (db.get(`SELECT 1 ${unsynced}`) === undefined) return false;
    // A living process proves that the machine has run on.
    const kept = this.#isMarked() || options.othersAlive();
    if (kept) this.#settle();
    else db.write(() => this.#drop());
    this.#wantsSync = db.get(`SELECT 1 ${unsynced.replace('LIMIT', 'AND sync_round IS NULL LIMIT')}`) !== undefined;
    return !kept;
  }

  /** Comes before the commit of a snapshot. */
  mark(): void {
    this.#wantsSync = true;
    if (this.#isMarked()) return;
    const file = this.#markerFile();
    if (file === undefined) return;
    fs.writeFileSync(`${file}.${process.pid}`, bootId(), { mode: 0o600 });
    fs.renameSync(`${file}.${process.pid}`, file);
  }

  /**
   * Starts a sync that outlives this process; the next one to open the store sees that it went through. Waiting for it here
   * would cost each command the writing of everything that its steps have written.
   */
  syncInBackground(): void {
    const file = this.#markerFile();
    if (!this.#wantsSync || file === undefined) return;
    const { db, paths } = this.#base;
    const round = db.writeVolatile(() => {
      db.run("UPDATE meta SET value = value + 1 WHERE key = 'sync round'");
      const next = db.get<{ value: number }>("SELECT value FROM meta WHERE key = 'sync round'")?.value ?? 1;
      db.run("UPDATE snapshots SET sync_round = ? WHERE synced = 0 AND state = 'committed'", next);
      return next;
    });
    const script = 'cd / && sync -f "$1" && test -e "$2" && : > "$2.synced-$3"';
    try {
      startDetached(['/bin/sh', '-c', script, 'sh', paths.snapshots, file, String(round)]);
    } catch {
      // No shell, or later no `sync -f`: the snapshots stay unsynced, which is safe.
    }
  }

  #settle(): void {
    const file = this.#markerFile();
    if (file === undefined) return;
    const prefix = `${path.basename(file)}.synced-`;
    const done = fs.readdirSync(path.dirname(file)).filter((name) => name.startsWith(prefix));
    for (const name of done) {
      const { db } = this.#base;
      db.write(() => {
        db.run(
          'UPDATE snapshots SET synced = 1 WHERE synced = 0 AND sync_round = ?',
          Number(name.slice(prefix.length)),
        );
      });
      fs.rmSync(path.join(path.dirname(file), name), { force: true });
    }
  }

  /** Inside of a transaction. */
  #drop(): void {
    // Another process may have dropped them and begun anew, while this one waited.
    if (this.#isMarked()) return;
    const { db } = this.#base;
    db.run("UPDATE snapshots SET chain_id = NULL, condemned = 1 WHERE synced = 0 AND state = 'committed'");
    db.run(`DELETE FROM cache WHERE diff_id NOT IN (${availableLayers})`);
    const available = new Set(db.all<{ diff_id: Digest }>(availableLayers).map((row) => row.diff_id));
    for (const image of db.all<{ id: Digest; config: Uint8Array }>('SELECT id, config FROM images')) {
      const { diffIds } = parseImageConfig(image.config);
      // As if that build had not come to its end: a name must not stand for an image that is not whole.
      if (!diffIds.every((diffId) => available.has(diffId))) removeImage(this.#base, image.id);
    }
    this.#indexFile.changed();
    this.mark();
  }

  #isMarked(): boolean {
    const file = this.#markerFile();
    if (file === undefined) return false;
    try {
      return fs.readFileSync(file, 'utf8') === bootId();
    } catch {
      return false;
    }
  }

  /** Called after the store and the place where its root lies, so that a copy has another. */
  #markerFile(): string | undefined {
    if (this.#marker !== undefined) return this.#marker;
    const folder = runtimeFolder(this.#base.privileges);
    if (folder === undefined) return undefined;
    const { dev, ino } = fs.statSync(this.#base.paths.root, { bigint: true });
    const uuid = this.#base.db.get<{ value: string }>("SELECT value FROM meta WHERE key = 'uuid'")?.value ?? '';
    this.#marker = path.join(folder, `${uuid}-${dev}-${ino}`);
    return this.#marker;
  }
}

const availableLayers = `
  SELECT diff_id FROM snapshots WHERE state = 'committed' AND condemned = 0
  UNION SELECT diff_id FROM layer_blobs JOIN blobs USING (digest) WHERE condemned = 0`;

/** A private folder that the machine empties when it starts, as far as there is one; undefined: none can be trusted. */
function runtimeFolder(privileges: Privileges): string | undefined {
  const parent = privileges.kind === 'root' ? '/run' : process.env['XDG_RUNTIME_DIR'];
  const folder =
    parent === undefined ? path.join(os.tmpdir(), `slipway-${privileges.realUid}`) : path.join(parent, 'slipway');
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    // In a shared /tmp somebody else may have made it.
    const stat = fs.lstatSync(folder);
    return stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0 ? folder : undefined;
  } catch {
    return undefined;
  }
}
