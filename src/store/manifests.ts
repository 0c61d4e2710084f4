import {
  type Compression,
  compressionOf,
  type Descriptor,
  type Digest,
  digestOf,
  type ImageConfig,
  type ImageIndex,
  isConfigType,
  type Manifest,
  mediaTypes,
  OciError,
  parseImageConfig,
  referrerOf,
} from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import type { Blobs } from './blobs.ts';
import type { ImageForm } from './contract.ts';
import type { StoreContent } from './content.ts';

export interface ManifestRow {
  readonly digest: Digest;
  readonly media_type: string;
  readonly size: number;
  readonly image_id: Digest | null;
}

interface ImageOfManifest {
  readonly id: Digest;
  readonly document: Buffer;
  readonly config: ImageConfig;
}

const foreignTypes: ReadonlySet<string> = new Set([
  mediaTypes.dockerForeignLayer,
  mediaTypes.ociForeignLayer,
  mediaTypes.ociForeignLayerGzip,
]);

/** The rows about manifests and indexes: what they name, and which image they are a form of. */
export class Manifests {
  readonly #base: StoreBase;
  readonly #blobs: Blobs;

  constructor(base: StoreBase, blobs: Blobs) {
    this.#base = base;
    this.#blobs = blobs;
  }

  get(digest: Digest): ManifestRow | undefined {
    return this.#base.db.get<ManifestRow>(
      `SELECT manifests.digest, manifests.media_type, manifests.size, image_id
       FROM manifests JOIN blobs USING (digest) WHERE digest = ? AND condemned = 0`,
      digest,
    );
  }

  descriptor(digest: Digest): Descriptor | undefined {
    const row = this.get(digest);
    return row && { mediaType: row.media_type, digest: row.digest, size: row.size };
  }

  /** Manifests with this subject, as a referrers list has them. */
  referrers(subject: Digest, artifactType: string | undefined): readonly Descriptor[] {
    const rows = this.#base.db.all<ManifestRow & { artifact_type: string | null; annotations: string | null }>(
      `SELECT manifests.digest, manifests.media_type, manifests.size, image_id, artifact_type, annotations
       FROM manifests JOIN blobs USING (digest) WHERE subject = ? AND condemned = 0 ORDER BY digest`,
      subject,
    );
    const entries = rows.map((row) => ({
      mediaType: row.media_type,
      digest: row.digest,
      size: row.size,
      ...(row.artifact_type === null ? {} : { artifactType: row.artifact_type }),
      ...(row.annotations === null ? {} : { annotations: JSON.parse(row.annotations) as Record<string, string> }),
    }));
    return artifactType === undefined ? entries : entries.filter((entry) => entry.artifactType === artifactType);
  }

  /** @throws OciError NOT_FOUND for a child that is neither here nor known to be elsewhere */
  requireChildren(document: Manifest | ImageIndex, content: StoreContent): void {
    for (const child of childrenOf(document)) {
      if (foreignTypes.has(child.mediaType) || content.state(child.digest) !== undefined) continue;
      throw new OciError('NOT_FOUND', `${child.digest} is missing: what a manifest names must be there before it`);
    }
  }

  /** The image that a manifest is a form of; undefined for indexes and artifacts. */
  async imageOf(document: Manifest | ImageIndex, content: StoreContent): Promise<ImageOfManifest | undefined> {
    if (document.kind === 'index' || !isConfigType(document.config.mediaType)) return undefined;
    const bytes = await content.read(document.config.digest);
    return { id: document.config.digest, document: bytes, config: parseImageConfig(bytes) };
  }

  /**
   * Inside of a transaction, with the manifest's file in its place.
   * @param form of a manifest that is made here; one from elsewhere has the form of its layers
   */
  record(
    descriptor: Descriptor,
    document: Manifest | ImageIndex,
    image: ImageOfManifest | undefined,
    form?: ImageForm,
  ): void {
    const { db } = this.#base;
    const referrer = referrerOf(descriptor, document);
    this.#blobs.put({ ...descriptor, mediaType: document.mediaType });
    db.run(
      `INSERT OR REPLACE INTO manifests (digest, media_type, size, artifact_type, subject, annotations, image_id)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      descriptor.digest,
      document.mediaType,
      descriptor.size,
      referrer?.entry.artifactType ?? document.artifactType ?? null,
      referrer?.subject ?? null,
      document.annotations === undefined ? null : JSON.stringify(document.annotations),
      image?.id ?? null,
    );
    for (const child of childrenOf(document)) {
      // A layer that may not be distributed stays where its urls say, and is never missed here.
      if (foreignTypes.has(child.mediaType) && this.#blobs.get(child.digest) === undefined) continue;
      db.run('INSERT OR IGNORE INTO edges (parent, child) VALUES (?, ?)', descriptor.digest, child.digest);
    }
    if (image !== undefined && document.kind === 'manifest')
      this.#recordImage(descriptor, document, { ...image, form });
  }

  #recordImage(
    descriptor: Descriptor,
    manifest: Manifest,
    image: ImageOfManifest & { readonly form: ImageForm | undefined },
  ): void {
    const { db, leases } = this.#base;
    db.run('INSERT OR IGNORE INTO images (id, config) VALUES (?, ?)', image.id, image.document);
    leases.add('image', image.id);
    const { diffIds } = image.config;
    if (diffIds.length !== manifest.layers.length) return;
    manifest.layers.forEach((layer, at) => {
      const diffId = diffIds[at];
      if (diffId !== undefined)
        this.#blobs.putLayer({ diffId, digest: layer.digest, verified: diffId === layer.digest });
    });
    if (image.form !== undefined) return this.replaceForm(image.id, formName(image.form), descriptor.digest);
    this.recordForm(image.id, formOfManifest(manifest) ?? `as ${descriptor.digest}`, descriptor.digest);
  }

  /** The first manifest of a form stays the one. */
  recordForm(imageId: Digest, form: string, manifest: Digest): void {
    const sql = 'INSERT OR IGNORE INTO image_forms (image_id, form, manifest) VALUES (?, ?, ?)';
    this.#base.db.run(sql, imageId, form, manifest);
  }

  /** After an earlier manifest of the form lost a blob. */
  replaceForm(imageId: Digest, form: string, manifest: Digest): void {
    const sql = `INSERT INTO image_forms (image_id, form, manifest) VALUES (?, ?, ?)
                 ON CONFLICT (image_id, form) DO UPDATE SET manifest = excluded.manifest`;
    this.#base.db.run(sql, imageId, form, manifest);
  }

  /** The manifest of an image in a form, or its first of all. */
  ofImage(imageId: Digest, form?: string): Descriptor | undefined {
    const row = this.#base.db.get<{ manifest: Digest }>(
      `SELECT manifest FROM image_forms JOIN blobs ON blobs.digest = manifest
       WHERE image_id = ? AND condemned = 0 ${form === undefined ? '' : 'AND form = ?'} ORDER BY seq LIMIT 1`,
      imageId,
      ...(form === undefined ? [] : [form]),
    );
    return row && this.descriptor(row.manifest);
  }
}

export function childrenOf(document: Manifest | ImageIndex): readonly Descriptor[] {
  return document.kind === 'index' ? document.manifests : [document.config, ...document.layers];
}

/** A form in one word, the key of `image_forms`. */
export function formName({ mediaTypes: kind, compression, level, force, annotations }: ImageForm): string {
  const words: (string | number)[] = [kind, compression];
  if (level !== undefined) words.push(level);
  if (force === true) words.push('force');
  const sorted = Object.entries(annotations ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (sorted.length > 0) words.push(digestOf(JSON.stringify(sorted)));
  return words.join(' ');
}

/** The form that a manifest from elsewhere has: that of all its layers, whatever made them. */
function formOfManifest(manifest: Manifest): string | undefined {
  const kinds = new Set<Compression | undefined>(manifest.layers.map((layer) => compressionOf(layer.mediaType)));
  const [compression] = kinds;
  if (kinds.size !== 1 || compression === undefined) return undefined;
  const isDocker = manifest.mediaType === mediaTypes.dockerManifest;
  return formName({ mediaTypes: isDocker ? 'docker' : 'oci', compression });
}
