import fs from 'node:fs';
import { type Descriptor, type Digest, type ImageIndex, mediaTypes, serializeIndex } from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import type { Database } from './database.ts';
import { asStoreError } from './error.ts';
import { writeDurably } from './files.ts';
import { ingestPath } from './ingest.ts';

interface NameRow {
  readonly name: string;
  readonly digest: Digest;
  readonly media_type: string;
  readonly size: number;
}

/**
 * index.json, by which other tools read our complete images in place. It is written from the database and follows it:
 * `changed` inside of each transaction that matters, `flush` afterwards; a process that dies between them leaves it to the
 * next one.
 */
export class ImageIndexFile {
  readonly #base: StoreBase;
  #flushing: Promise<void> | undefined;

  constructor(base: StoreBase) {
    this.#base = base;
  }

  /** Inside of a transaction. */
  changed(): void {
    indexChanged(this.#base.db);
  }

  /** Begins a write if the file is behind; `settled` waits for it. */
  flushSoon(): void {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    // `settled` reports it; here nobody listens.
    this.#flushing.catch(() => undefined);
  }

  /** Waits until the file says what the database says. */
  async settled(): Promise<void> {
    await this.#flushing?.catch(() => undefined);
    await this.#flush();
  }

  async #flush(): Promise<void> {
    while (this.#isBehind()) await this.#writeOnce();
  }

  #isBehind(): boolean {
    return this.#number('index generation') !== this.#number('index written');
  }

  async #writeOnce(): Promise<void> {
    const generation = this.#number('index generation');
    const content = serializeIndex(this.#read());
    const { paths, db } = this.#base;
    const temporary = ingestPath(this.#base);
    try {
      await writeDurably(temporary, { content, mode: 0o644 });
      await db.writeSoon(() => {
        // Under the write lock, so that an older list never replaces a newer one.
        if (this.#number('index generation') !== generation) return;
        fs.renameSync(temporary, paths.indexFile);
        db.run("INSERT OR REPLACE INTO meta (key, value) VALUES ('index written', ?)", generation);
      });
    } catch (error) {
      throw asStoreError(error, 'cannot write index.json');
    } finally {
      await fs.promises.rm(temporary, { force: true });
    }
  }

  #number(key: string): number {
    return this.#base.db.get<{ value: number }>('SELECT value FROM meta WHERE key = ?', key)?.value ?? 0;
  }

  /** Names whose manifest and everything below it are present. */
  #read(): ImageIndex {
    const rows = this.#base.db.all<NameRow>(
      `SELECT name, manifests.digest, manifests.media_type, manifests.size
       FROM names JOIN manifests ON manifests.digest = names.manifest
       WHERE NOT EXISTS (
         WITH RECURSIVE reach (digest) AS (
           SELECT names.manifest UNION SELECT child FROM edges JOIN reach ON edges.parent = reach.digest
         )
         SELECT 1 FROM reach LEFT JOIN blobs USING (digest)
         WHERE blobs.digest IS NULL OR blobs.state <> 'present' OR blobs.condemned
       )
       ORDER BY name`,
    );
    return { kind: 'index', mediaType: mediaTypes.ociIndex, manifests: rows.map(entryOf) };
  }
}

/** Inside of a transaction. */
export function indexChanged(db: Database): void {
  const sql = `INSERT INTO meta (key, value) VALUES ('index generation', 1)
               ON CONFLICT (key) DO UPDATE SET value = value + 1`;
  db.run(sql);
}

/**
 * The reference is the full name: it is what `skopeo inspect oci:<root>:<name>` asks for. containerd reads the other one.
 */
function entryOf(row: NameRow): Descriptor {
  return {
    mediaType: row.media_type,
    digest: row.digest,
    size: row.size,
    annotations: { 'io.containerd.image.name': row.name, 'org.opencontainers.image.ref.name': row.name },
  };
}
