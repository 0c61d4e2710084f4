import {
  type Descriptor,
  digestOf,
  type Digest,
  type ImageConfig,
  mediaTypes,
  parseImageConfig,
  serializeConfig,
} from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import type { Blobs } from './blobs.ts';
import type { StoreContent } from './content.ts';
import type { ImageRecord, Images, RemovedImage } from './contract.ts';
import { StoreError } from './error.ts';
import type { ImageIndexFile } from './image-index.ts';
import { fullName, imageQuery, repositoryOfName } from './image-name.ts';
import type { StoreLayers } from './layers.ts';
import type { Manifests } from './manifests.ts';
import { hasSnapshotOfLayer } from './snapshot-rows.ts';

export interface ImageParts {
  readonly blobs: Blobs;
  readonly content: StoreContent;
  readonly manifests: Manifests;
  readonly layers: StoreLayers;
  readonly indexFile: ImageIndexFile;
}

/** Images by name and id. */
export class StoreImages implements Images {
  readonly #base: StoreBase;
  readonly #parts: ImageParts;
  /** An id says what the config is, so that it is parsed once. */
  readonly #configs = new Map<Digest, ImageConfig>();

  constructor(base: StoreBase, parts: ImageParts) {
    this.#base = base;
    this.#parts = parts;
  }

  list(): readonly ImageRecord[] {
    const rows = this.#base.db.all<{ id: Digest }>('SELECT id FROM images ORDER BY seq DESC');
    return rows.map((row) => this.#record(row.id));
  }

  find(reference: string): ImageRecord | undefined {
    const id = this.#findId(reference);
    return id === undefined ? undefined : this.#record(id);
  }

  has(id: Digest): boolean {
    return this.#base.db.get('SELECT 1 FROM images WHERE id = ?', id) !== undefined;
  }

  rootOf(name: string): Descriptor | undefined {
    return this.manifestOfName(name)?.manifest;
  }

  partsOf(name: string): readonly Digest[] {
    const { name: full } = imageQuery(name);
    const rows = this.#base.db.all<{ image_id: Digest }>(
      `SELECT DISTINCT manifests.image_id FROM names
       JOIN edges ON edges.parent = names.manifest JOIN manifests ON manifests.digest = edges.child
       WHERE names.name = ? AND manifests.image_id IS NOT NULL`,
      full ?? '',
    );
    return rows.map((row) => row.image_id);
  }

  async create(config: ImageConfig, names: readonly string[]): Promise<Digest> {
    const full = names.map(fullName);
    const document = serializeConfig(config);
    const id = digestOf(document);
    this.#requireLayers(config);
    const { content, indexFile } = this.#parts;
    await content.pushAnd({ mediaType: mediaTypes.ociConfig, digest: id, size: document.length }, document, {
      record: () => {
        this.#requireLayers(config);
        this.#base.db.run('INSERT OR IGNORE INTO images (id, config) VALUES (?, ?)', id, document);
        this.#base.leases.add('image', id);
        for (const name of full) this.#setName(name, id);
        indexFile.changed();
      },
    });
    indexFile.flushSoon();
    return id;
  }

  tag(id: Digest, name: string, like?: string): void {
    const full = fullName(name);
    const { name: source } = imageQuery(like ?? '');
    this.#write(() => {
      if (!this.has(id)) throw noImage(id);
      this.#setName(full, id);
      const sql = 'UPDATE names SET manifest = other.manifest FROM names AS other';
      const where = 'WHERE names.name = ? AND other.name = ? AND other.image_id = ? AND other.manifest IS NOT NULL';
      this.#base.db.run(`${sql} ${where}`, full, source ?? '', id);
    });
  }

  untag(name: string): readonly string[] {
    const full = fullName(name);
    return this.#write(() => {
      const { db } = this.#base;
      const row = db.get<{ image_id: Digest | null }>('SELECT image_id FROM names WHERE name = ?', full);
      if (row === undefined) throw noImage(name);
      db.run('DELETE FROM names WHERE name = ?', full);
      return [full, ...(row.image_id === null ? [] : removeOrphanDigests(db, row.image_id))];
    });
  }

  remove(id: Digest): RemovedImage {
    return this.#write(() => removeImage(this.#base, id));
  }

  removeUnused(id: Digest): boolean {
    return this.#write(() => {
      const { db, leases } = this.#base;
      if (!this.has(id) || this.#isNamed(id) || this.#indexesWith(id).length > 0) return false;
      const others = "SELECT 1 FROM leases WHERE kind = 'image' AND ref = ? AND owner <> ?";
      if (db.get(others, id, leases.owner()) !== undefined) return false;
      removeImage(this.#base, id);
      return true;
    });
  }

  #isNamed(id: Digest): boolean {
    return this.#base.db.get('SELECT 1 FROM names WHERE image_id = ?', id) !== undefined;
  }

  addRepoDigest(id: Digest, repoDigest: string): void {
    this.#write(() => {
      this.#base.db.run('INSERT OR IGNORE INTO repo_digests (repo_digest, image_id) VALUES (?, ?)', repoDigest, id);
    });
  }

  /** What a name stands for, with its manifest where it has one; undefined for an unknown name. */
  manifestOfName(
    name: string,
  ): { readonly imageId: Digest | null; readonly manifest: Descriptor | undefined } | undefined {
    const row = this.#base.db.get<{ image_id: Digest | null; manifest: Digest | null }>(
      'SELECT image_id, manifest FROM names WHERE name = ?',
      fullName(name),
    );
    if (row === undefined) return undefined;
    const { manifests } = this.#parts;
    const own = row.manifest === null ? undefined : manifests.descriptor(row.manifest);
    const first = own ?? (row.image_id === null ? undefined : manifests.ofImage(row.image_id));
    return { imageId: row.image_id, manifest: first };
  }

  /** Points a name at a manifest or index that is here. */
  tagManifest(manifest: Digest, imageId: Digest | null, name: string): void {
    const full = fullName(name);
    this.#write(() => {
      this.#base.db.run(
        'INSERT OR REPLACE INTO names (name, image_id, manifest) VALUES (?, ?, ?)',
        full,
        imageId,
        manifest,
      );
    });
  }

  /** Names of an image that were never given a manifest get this one. */
  settleNames(imageId: Digest, manifest: Digest): void {
    this.#base.db.run('UPDATE names SET manifest = ? WHERE image_id = ? AND manifest IS NULL', manifest, imageId);
    this.#parts.indexFile.changed();
  }

  /** After a change of names in a transaction of somebody else. */
  flushIndexSoon(): void {
    this.#parts.indexFile.flushSoon();
  }

  #write<Result>(body: () => Result): Result {
    const result = this.#base.db.write(() => {
      const made = body();
      this.#parts.indexFile.changed();
      return made;
    });
    this.#parts.indexFile.flushSoon();
    return result;
  }

  /** A name that stands for the image already keeps its manifest. */
  #setName(name: string, id: Digest): void {
    this.#base.db.run(
      `INSERT INTO names (name, image_id, manifest) VALUES (?, ?, NULL)
       ON CONFLICT (name) DO UPDATE SET
         manifest = iif(image_id IS excluded.image_id, manifest, NULL), image_id = excluded.image_id`,
      name,
      id,
    );
  }

  #requireLayers(config: ImageConfig): void {
    const { blobs } = this.#parts;
    const unknown = config.diffIds.find(
      (diffId) => !hasSnapshotOfLayer(this.#base.db, diffId) && blobs.ofLayer(diffId).length === 0,
    );
    if (unknown !== undefined) throw new StoreError('LAYERS_UNKNOWN', `layer ${unknown} is not in the store`);
  }

  #findId(reference: string): Digest | undefined {
    const { name, repoDigest, idPrefix } = imageQuery(reference);
    const { db } = this.#base;
    const byName = name === undefined ? undefined : this.#idOfName(name);
    if (byName !== undefined) return byName;
    if (repoDigest !== undefined) return this.#findByDigest(repoDigest.repository, repoDigest.digest);
    if (idPrefix === undefined) return undefined;
    const rows = db.all<{ id: Digest }>(
      'SELECT id FROM images WHERE id >= ? AND id < ? LIMIT 2',
      `sha256:${idPrefix}`,
      `sha256:${idPrefix}g`,
    );
    if (rows.length > 1) throw new StoreError('AMBIGUOUS_ID', `several images have an id that begins with ${idPrefix}`);
    return rows[0]?.id;
  }

  #idOfName(name: string): Digest | undefined {
    const sql = 'SELECT image_id FROM names WHERE name = ?';
    return this.#base.db.get<{ image_id: Digest | null }>(sql, name)?.image_id ?? undefined;
  }

  #findByDigest(repository: string, digest: Digest): Digest | undefined {
    const row = this.#base.db.get<{ image_id: Digest }>(
      'SELECT image_id FROM repo_digests WHERE repo_digest = ?',
      `${repository}@${digest}`,
    );
    if (row !== undefined) return row.image_id;
    const named = this.#base.db.all<{ name: string; image_id: Digest | null }>(
      'SELECT name, image_id FROM names WHERE manifest = ?',
      digest,
    );
    return named.find((entry) => repositoryOfName(entry.name) === repository)?.image_id ?? undefined;
  }

  #record(id: Digest): ImageRecord {
    const { db } = this.#base;
    const config = this.#config(id);
    const names = db.all<{ name: string }>('SELECT name FROM names WHERE image_id = ? ORDER BY name', id);
    const digests = db.all<{ repo_digest: string }>(
      'SELECT repo_digest FROM repo_digests WHERE image_id = ? ORDER BY repo_digest',
      id,
    );
    const manifest = this.#parts.manifests.ofImage(id);
    return {
      id,
      names: names.map((row) => row.name),
      partOf: this.#indexesWith(id),
      repoDigests: digests.map((row) => row.repo_digest),
      ...(manifest === undefined ? {} : { manifest }),
      config,
      platform: config.platform,
      size: this.#size(config),
    };
  }

  #indexesWith(id: Digest): readonly string[] {
    const rows = this.#base.db.all<{ name: string }>(
      `SELECT DISTINCT name FROM manifests
       JOIN edges ON edges.child = manifests.digest JOIN names ON names.manifest = edges.parent
       WHERE manifests.image_id = ? AND names.image_id IS NOT ? ORDER BY name`,
      id,
      id,
    );
    return rows.map((row) => row.name);
  }

  #config(id: Digest): ImageConfig {
    let config = this.#configs.get(id);
    if (config === undefined) {
      const row = this.#base.db.get<{ config: Uint8Array }>('SELECT config FROM images WHERE id = ?', id);
      if (row === undefined) throw noImage(id);
      config = parseImageConfig(row.config);
      this.#configs.set(id, config);
    }
    return config;
  }

  #size(config: ImageConfig): number {
    return config.diffIds.reduce((total, diffId) => total + (this.#parts.layers.size(diffId) ?? 0), 0);
  }
}

/** Deletes an image with its names; its content goes with the next gc. Inside of a transaction. */
export function removeImage(base: StoreBase, id: Digest): RemovedImage {
  const { db } = base;
  const names = db.all<{ name: string }>('SELECT name FROM names WHERE image_id = ? ORDER BY name', id);
  db.run('DELETE FROM names WHERE image_id = ?', id);
  const digests = removeOrphanDigests(db, id);
  db.run('DELETE FROM image_forms WHERE image_id = ?', id);
  db.run("DELETE FROM leases WHERE kind = 'image' AND ref = ? AND owner = ?", id, base.leases.owner());
  if (db.run('DELETE FROM images WHERE id = ?', id) === 0) throw noImage(id);
  return { untagged: [...names.map((row) => row.name), ...digests], deleted: [id] };
}

/** Forgets the digests of repositories in which the image has no tag any more, and says which. Inside of a transaction. */
function removeOrphanDigests(db: StoreBase['db'], id: Digest): string[] {
  const names = db.all<{ name: string }>('SELECT name FROM names WHERE image_id = ?', id);
  const tagged = new Set(names.map((row) => repositoryOfName(row.name)));
  const rows = db.all<{ repo_digest: string }>(
    'SELECT repo_digest FROM repo_digests WHERE image_id = ? ORDER BY repo_digest',
    id,
  );
  const orphans = rows
    .map((row) => row.repo_digest)
    .filter((repoDigest) => !tagged.has(repoDigest.slice(0, repoDigest.indexOf('@'))));
  for (const repoDigest of orphans)
    db.run('DELETE FROM repo_digests WHERE image_id = ? AND repo_digest = ?', id, repoDigest);
  return orphans;
}

function noImage(what: string): StoreError {
  return new StoreError('NOT_FOUND', `no such image: ${what}`);
}
