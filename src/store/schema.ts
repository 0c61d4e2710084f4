import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from './error.ts';

/**
 * One entry per schema version, applied in order; `PRAGMA user_version` says how many were. Entries that were released
 * are never changed, new ones are added (docs/decisions/0002-store-schema.md).
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

  -- Content by digest: 'present' has its file below blobs/, 'remote' is offered by its sources.
  -- condemned: a garbage collector is deleting it; for everyone else it is not there.
  CREATE TABLE blobs (
    digest TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('present', 'remote')),
    condemned INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE sources (
    digest TEXT NOT NULL, source TEXT NOT NULL, PRIMARY KEY (digest, source)
  ) STRICT, WITHOUT ROWID;

  -- Which blobs are said to hold which layer. verified: the bytes were inflated and hashed here.
  -- form: how it was compressed here ('gzip:6:…'); NULL for blobs that came from elsewhere.
  CREATE TABLE layer_blobs (
    seq INTEGER PRIMARY KEY,
    diff_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    form TEXT,
    verified INTEGER NOT NULL,
    UNIQUE (diff_id, digest)
  ) STRICT;
  CREATE INDEX layer_blobs_by_digest ON layer_blobs (digest);

  CREATE TABLE manifests (
    digest TEXT PRIMARY KEY,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    artifact_type TEXT,
    subject TEXT,
    annotations TEXT,
    image_id TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX manifests_by_subject ON manifests (subject) WHERE subject IS NOT NULL;
  CREATE INDEX manifests_by_image ON manifests (image_id) WHERE image_id IS NOT NULL;
  CREATE TABLE edges (
    parent TEXT NOT NULL, child TEXT NOT NULL, PRIMARY KEY (parent, child)
  ) STRICT, WITHOUT ROWID;

  -- config: the document, as its blob has it.
  CREATE TABLE images (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, config BLOB NOT NULL
  ) STRICT;
  CREATE TABLE image_forms (
    seq INTEGER PRIMARY KEY, image_id TEXT NOT NULL, form TEXT NOT NULL, manifest TEXT NOT NULL,
    UNIQUE (image_id, form)
  ) STRICT;
  CREATE INDEX image_forms_by_manifest ON image_forms (manifest);
  CREATE TABLE repo_digests (
    repo_digest TEXT NOT NULL, image_id TEXT NOT NULL, PRIMARY KEY (repo_digest, image_id)
  ) STRICT, WITHOUT ROWID;
  -- manifest: what the name resolves to; NULL until an image built here was given one.
  CREATE TABLE names (
    name TEXT PRIMARY KEY, image_id TEXT, manifest TEXT,
    CHECK (image_id IS NOT NULL OR manifest IS NOT NULL)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX names_by_image ON names (image_id);

  -- A folder below snapshots/, called after its number in base 36. Active: being written by its owner.
  CREATE TABLE snapshots (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    driver TEXT NOT NULL CHECK (driver IN ('overlay', 'copy')),
    state TEXT NOT NULL CHECK (state IN ('active', 'committed')),
    parent TEXT,
    owner TEXT,
    chain_id TEXT,
    diff_id TEXT,
    size INTEGER NOT NULL DEFAULT 0,
    has_headers INTEGER NOT NULL DEFAULT 0,
    synced INTEGER NOT NULL DEFAULT 0,
    sync_round INTEGER,
    condemned INTEGER NOT NULL DEFAULT 0,
    UNIQUE (chain_id, driver)
  ) STRICT;
  CREATE INDEX snapshots_by_diff ON snapshots (diff_id);
  CREATE INDEX snapshots_unsynced ON snapshots (number) WHERE synced = 0 AND state = 'committed';
  CREATE INDEX snapshots_by_owner ON snapshots (owner) WHERE owner IS NOT NULL;

  CREATE TABLE cache (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, parts TEXT NOT NULL, diff_id TEXT NOT NULL, parent TEXT
  ) STRICT;
  CREATE TABLE facts (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)
  ) STRICT, WITHOUT ROWID;

  -- What a living process relies on; void when the owner's lock can be taken.
  CREATE TABLE leases (
    owner TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('blob', 'layer', 'snapshot', 'image')),
    ref TEXT NOT NULL,
    PRIMARY KEY (owner, kind, ref)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE containers (
    id TEXT PRIMARY KEY, bundle TEXT NOT NULL, owner TEXT NOT NULL, image_id TEXT
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- duration: milliseconds that the step took; used: seconds since 1970.
  ALTER TABLE cache ADD COLUMN duration INTEGER;
  ALTER TABLE cache ADD COLUMN used INTEGER;
  -- A step that a living process is at, by its cache key: others wait for it.
  CREATE TABLE claims (key TEXT PRIMARY KEY, owner TEXT NOT NULL) STRICT, WITHOUT ROWID;
  -- What builds did, step by step. project: the same for builds of the same Dockerfile and context.
  CREATE TABLE accounts (
    seq INTEGER PRIMARY KEY, build TEXT NOT NULL UNIQUE, project TEXT NOT NULL, images TEXT NOT NULL, document TEXT NOT NULL
  ) STRICT;
  CREATE INDEX accounts_by_project ON accounts (project);
  `,
  `
  -- A folder below cache-mounts/, called after its number in base 36. origin: what it began with, where that tells it apart.
  -- created, last_used: milliseconds since 1970. ready: filled. archive: digest of the tar that it equals, until it is used again.
  CREATE TABLE cache_mounts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    origin TEXT NOT NULL,
    created INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    ready INTEGER NOT NULL,
    archive TEXT
  ) STRICT;
  CREATE INDEX cache_mounts_by_id ON cache_mounts (id, origin);
  -- Steps of living processes that use one; void when the owner's lock can be taken.
  CREATE TABLE cache_mount_users (
    mount INTEGER NOT NULL,
    owner TEXT NOT NULL,
    use TEXT NOT NULL,
    sharing TEXT NOT NULL CHECK (sharing IN ('shared', 'private', 'locked')),
    PRIMARY KEY (mount, use)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX cache_mount_users_by_owner ON cache_mount_users (owner);
  `,
  `
  -- Which indexes list a manifest, and which names stand for them.
  CREATE INDEX edges_by_child ON edges (child);
  CREATE INDEX names_by_manifest ON names (manifest) WHERE manifest IS NOT NULL;
  `,
  `
  -- Uploads that a place has received in part. state: what it takes to go on; may hold a secret. owner: whose process is or was at it.
  -- kept: milliseconds since 1970.
  CREATE TABLE transfers (
    place TEXT NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL,
    owner TEXT NOT NULL,
    kept INTEGER NOT NULL,
    PRIMARY KEY (place, digest)
  ) STRICT, WITHOUT ROWID;
  `,
];

export const schemaVersion: number = migrations.length;

/**
 * Brings a database to this program's schema; one that has it is not written to.
 * @throws StoreError NEWER_SCHEMA
 */
export function migrate(db: DatabaseSync): void {
  if (refuseNewer(db) === schemaVersion) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    // Read again under the lock: another process may just have done it.
    for (const statements of migrations.slice(refuseNewer(db))) db.exec(statements);
    db.exec(`PRAGMA user_version = ${schemaVersion}`);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

/** The schema version of a store, refused where it is from the future. */
export function refuseNewer(db: DatabaseSync): number {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version <= schemaVersion) return version;
  throw new StoreError(
    'NEWER_SCHEMA',
    `the store has schema ${version}, this program knows up to ${schemaVersion}: a newer slipway wrote it`,
    { hint: 'use the newer slipway, or another SLIPWAY_ROOT' },
  );
}
