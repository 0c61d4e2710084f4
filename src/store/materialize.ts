import {
  type CompressedLayer,
  type CompressibleTar,
  type CompressOptions,
  compressToFile,
  defaultLevels,
  type DraftLayer,
  type PackedLayer,
} from '../layer/index.ts';
import {
  type CallOptions,
  compressionOf,
  type Descriptor,
  digestOf,
  type Digest,
  isForeignLayerType,
  isIndexType,
  layerTypes,
  type Manifest,
  mediaTypes,
  OciError,
  parseImageConfig,
  parseIndex,
  parseManifest,
  Semaphore,
  serializeManifest,
} from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import { type Blobs, descriptorOf, type LayerBlobRow } from './blobs.ts';
import type { StoreContent } from './content.ts';
import type { ImageForm } from './contract.ts';
import { StoreError } from './error.ts';
import type { StoreImages } from './images.ts';
import { ingestMade, publish } from './ingest.ts';
import { formName, type Manifests } from './manifests.ts';
import { findDerivable, type SnapshotRow, snapshotId } from './snapshot-rows.ts';

export interface MaterializeParts {
  readonly blobs: Blobs;
  readonly content: StoreContent;
  readonly images: StoreImages;
  readonly manifests: Manifests;
}

type MaterializeOptions = CallOptions & { readonly allowRemote?: boolean };

/** Layers compressed at once: each already uses several threads. */
const atOnce = 2;

/** Of an image that nobody asked for in another one. */
export const defaultForm: ImageForm = { mediaTypes: 'oci', compression: 'gzip' };

/** Gives images their manifests, and layers the blobs that these name. */
export class Materializer {
  readonly #base: StoreBase;
  readonly #parts: MaterializeParts;
  readonly #slots = new Semaphore(atOnce);

  constructor(base: StoreBase, parts: MaterializeParts) {
    this.#base = base;
    this.#parts = parts;
  }

  /** @throws StoreError NOT_FOUND, LAYER_UNAVAILABLE */
  async materialize(imageId: Digest, form: ImageForm, options: MaterializeOptions): Promise<Descriptor> {
    const { manifests, images } = this.#parts;
    let manifest = manifests.ofImage(imageId, formName(form));
    if (manifest === undefined || !(await this.#bringChildren(manifest, options))) {
      manifest = await this.#make(imageId, form, options);
    }
    const { digest } = manifest;
    await this.#base.db.writeSoon(() => images.settleNames(imageId, digest), options);
    images.flushIndexSoon();
    return manifest;
  }

  /** @throws OciError NOT_FOUND, StoreError LAYER_UNAVAILABLE */
  async manifestOf(name: string, options: MaterializeOptions): Promise<Descriptor> {
    const { images } = this.#parts;
    const found = images.manifestOfName(name);
    const imageId = found === undefined ? images.find(name)?.id : found.imageId;
    const manifest = found?.manifest;
    if (manifest !== undefined && (await this.#bringAll(manifest, options))) return manifest;
    if (manifest !== undefined && isIndexType(manifest.mediaType)) {
      const hint = 'build or pull it again';
      throw new StoreError('LAYER_UNAVAILABLE', `${name}: not all of its platforms are in the store`, { hint });
    }
    if (imageId === undefined || imageId === null) throw new OciError('NOT_FOUND', `${name} is not in the store`);
    return this.materialize(imageId, defaultForm, options);
  }

  /** As `#bringChildren`, also for an index: of all that it lists. */
  async #bringAll(descriptor: Descriptor, options: MaterializeOptions): Promise<boolean> {
    const { content } = this.#parts;
    if (!isIndexType(descriptor.mediaType)) return this.#bringChildren(descriptor, options);
    const { manifests } = parseIndex(await content.read(descriptor.digest), descriptor.mediaType);
    for (const child of manifests) {
      if (content.state(child.digest) === undefined || !(await this.#bringAll(child, options))) return false;
    }
    return true;
  }

  /** The blob of one layer. @throws StoreError LAYER_UNAVAILABLE */
  layer(diffId: Digest, form: ImageForm, options: MaterializeOptions): Promise<Descriptor> {
    return this.#slots.run(() => this.#layer(diffId, form, options), options.signal);
  }

  /** The blob of a layer that is only being made: `make` writes both. Its snapshot may still be committed, or not. */
  packed(
    form: ImageForm,
    make: (fd: number, how: CompressOptions) => Promise<PackedLayer>,
    options: CallOptions,
  ): Promise<DraftLayer> {
    return this.#slots.run(async () => {
      const { file, made } = await ingestMade(this.#base, (fd) => make(fd, howOf(form, options)));
      this.#base.leases.add('layer', made.draft.diffId); // nothing else speaks for it yet
      await this.#publish(file, made.compressed, form);
      return made.draft;
    }, options.signal);
  }

  /** False where a blob of an earlier manifest is lost, so that it must be made again. */
  async #bringChildren(descriptor: Descriptor, options: MaterializeOptions): Promise<boolean> {
    const { content } = this.#parts;
    const manifest = parseManifest(await content.read(descriptor.digest), descriptor.mediaType);
    for (const layer of manifest.layers) {
      const state = content.state(layer.digest);
      if (state === undefined) return false;
      if (state === 'derivable' || (state === 'remote' && options.allowRemote !== true)) {
        await content.push(layer, await content.fetch(layer, options), options);
      }
    }
    return content.state(manifest.config.digest) !== undefined;
  }

  async #make(imageId: Digest, form: ImageForm, options: MaterializeOptions): Promise<Descriptor> {
    const { content, manifests } = this.#parts;
    const document = this.#document(imageId);
    const { diffIds } = parseImageConfig(document);
    const isDocker = form.mediaTypes === 'docker';
    const config: Descriptor = {
      mediaType: isDocker ? mediaTypes.dockerConfig : mediaTypes.ociConfig,
      digest: imageId,
      size: document.length,
    };
    await content.push(config, document, options);
    const layers = await this.#layers(diffIds, form, options);
    const mediaType = isDocker ? mediaTypes.dockerManifest : mediaTypes.ociManifest;
    const annotations = form.annotations === undefined ? {} : { annotations: form.annotations };
    const manifest: Manifest = { kind: 'manifest', mediaType, config, layers, ...annotations };
    const bytes = serializeManifest(manifest);
    const descriptor: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    const image = await manifests.imageOf(manifest, content);
    await content.pushAnd(descriptor, bytes, {
      ...options,
      record: () => manifests.record(descriptor, manifest, image, form),
    });
    return descriptor;
  }

  /** Where one fails, the others are stopped, and have cleared away what they began, before it is told. */
  async #layers(
    diffIds: readonly Digest[],
    form: ImageForm,
    options: MaterializeOptions,
  ): Promise<readonly Descriptor[]> {
    const stop = new AbortController();
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
    const layers = diffIds.map((diffId) => this.layer(diffId, form, { ...options, signal }));
    try {
      return await Promise.all(layers);
    } catch (error) {
      stop.abort();
      await Promise.allSettled(layers);
      throw error;
    }
  }

  #document(imageId: Digest): Buffer {
    const row = this.#base.db.get<{ config: Uint8Array }>('SELECT config FROM images WHERE id = ?', imageId);
    if (row === undefined) throw new StoreError('NOT_FOUND', `no such image: ${imageId}`);
    return Buffer.from(row.config);
  }

  /**
   * The blob of a layer in a form. A blob that came from elsewhere keeps its own bytes, whatever its compression: its
   * digest is known out there. One that was only ever claimed to hold this layer comes last.
   */
  async #layer(diffId: Digest, form: ImageForm, options: MaterializeOptions): Promise<Descriptor> {
    const rows = this.#parts.blobs.ofLayer(diffId).filter((row) => this.#parts.content.state(row.digest) !== undefined);
    // A bare tar, as `docker load` brings, is no form that anyone knows it by where we can make another.
    const proven = rows.find((row) => row.form === null && row.verified === 1 && row.digest !== diffId);
    const made = rows.find((row) => row.form === formKey(form));
    const kept = form.force === true ? made : (proven ?? made);
    if (kept !== undefined) return this.#keep(kept, form, options);
    const snapshot = findDerivable(this.#base, diffId);
    if (snapshot !== undefined) return this.#compress(this.#headersOf(snapshot), diffId, form, options);
    const claimed = proven ?? rows[0];
    if (claimed !== undefined && form.force === true) return this.#compressAgain(claimed, form, options);
    if (claimed !== undefined) return this.#keep(claimed, form, options);
    throw new StoreError('LAYER_UNAVAILABLE', `layer ${diffId} is not in the store`, {
      hint: 'pull or build the image again',
    });
  }

  async #keep(row: LayerBlobRow, form: ImageForm, options: MaterializeOptions): Promise<Descriptor> {
    const mediaType = layerTypes[form.mediaTypes][compressionOf(row.media_type) ?? 'none'];
    const descriptor: Descriptor = { ...descriptorOf(row), mediaType };
    this.#base.leases.add('blob', row.digest);
    if (options.allowRemote !== true) await this.#parts.content.bring(descriptorOf(row), options);
    return descriptor;
  }

  #headersOf(snapshot: SnapshotRow): CompressibleTar {
    const { tree, headerList } = this.#base.paths.snapshot(snapshotId(snapshot.number));
    return { headerList, folder: tree };
  }

  /** A blob that came from elsewhere, in another compression; it has to be here for that. */
  async #compressAgain(row: LayerBlobRow, form: ImageForm, options: MaterializeOptions): Promise<Descriptor> {
    if (isForeignLayerType(row.media_type)) return this.#keep(row, form, options);
    await this.#parts.content.bring(descriptorOf(row), options);
    return this.#compress({ blob: this.#base.paths.blob(row.digest) }, row.diff_id, form, options);
  }

  /** The tar is checked against its diffID on the way. */
  async #compress(
    source: CompressibleTar,
    diffId: Digest,
    form: ImageForm,
    options: MaterializeOptions,
  ): Promise<Descriptor> {
    const { file, made } = await ingestMade(this.#base, async (fd) => {
      const layer = await compressToFile(source, fd, howOf(form, options));
      if (layer.diffId === diffId) return layer;
      throw new StoreError('DIFF_ID_MISMATCH', `a layer unpacks to ${layer.diffId}, its image says ${diffId}`);
    });
    return this.#publish(file, made, form);
  }

  async #publish(file: string, { digest, size, diffId }: CompressedLayer, form: ImageForm): Promise<Descriptor> {
    const descriptor: Descriptor = { mediaType: layerTypes[form.mediaTypes][form.compression], digest, size };
    const { blobs } = this.#parts;
    await publish(this.#base, descriptor, file, () => {
      blobs.put(descriptor);
      // Where the bytes came out as somebody else's, they stay theirs.
      const known = blobs.ofLayer(diffId).some((row) => row.digest === digest && row.form === null);
      blobs.putLayer({ diffId, digest, verified: true, ...(known ? {} : { form: formKey(form) }) });
    });
    return descriptor;
  }
}

function howOf({ compression, level }: ImageForm, { signal }: CallOptions): CompressOptions {
  return { compression, ...(level === undefined ? {} : { level }), signal };
}

/** What the bytes of a blob made here depend on: another version of the compressor may give others. */
function formKey({ compression, level }: ImageForm): string {
  const versions = {
    none: 'tar',
    gzip: process.versions.zlib,
    zstd: `${process.versions['zstd'] ?? process.version} frames`,
  };
  return `${compression} ${level ?? defaultLevels[compression]} ${versions[compression]}`;
}
