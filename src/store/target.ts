import type { Readable } from 'node:stream';
import {
  type CallOptions,
  collect,
  type Descriptor,
  type Digest,
  type FetchOptions,
  formatName,
  hostPlatform,
  type ImageIndex,
  isDigest,
  isIndexType,
  isManifestType,
  OciError,
  parseIndex,
  parseManifestOrIndex,
  parseReference,
  selectManifest,
  type ContentSource,
  type PushFromOptions,
  type Target,
} from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import type { Blobs } from './blobs.ts';
import { refuseLargeDocument, type StoreContent } from './content.ts';
import type { StoreImages } from './images.ts';
import type { ManifestRow, Manifests } from './manifests.ts';
import type { Partials } from './partials.ts';
import { receiveBlob } from './receive.ts';
import type { Unpacker } from './unpack.ts';

export interface TargetParts {
  readonly blobs: Blobs;
  readonly content: StoreContent;
  readonly manifests: Manifests;
  readonly images: StoreImages;
  readonly unpacker: Unpacker;
  readonly partials: Partials;
  readonly materializeDefault: (imageId: Digest, options: CallOptions) => Promise<Descriptor>;
}

/** The store as a Target: names are image names. */
export class StoreTarget implements Target {
  readonly label: string;
  readonly #base: StoreBase;
  readonly #parts: TargetParts;

  constructor(base: StoreBase, parts: TargetParts) {
    this.label = `store:${base.paths.root}`;
    this.#base = base;
    this.#parts = parts;
  }

  fetch(descriptor: Descriptor, options?: FetchOptions): Promise<Readable> {
    return this.#parts.content.fetch(descriptor, options);
  }

  exists(descriptor: Descriptor): Promise<boolean> {
    return this.#parts.content.exists(descriptor);
  }

  async push(descriptor: Descriptor, content: Readable | Uint8Array, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    const { mediaType } = descriptor;
    if (isManifestType(mediaType) || isIndexType(mediaType)) return this.#pushDocument(descriptor, content, options);
    const layer = this.#parts.unpacker.expected(descriptor.digest);
    if (layer === undefined) return this.#pushBlob(descriptor, content, options);
    return this.#parts.unpacker.pushLayer(descriptor, content, { ...options, ...layer });
  }

  /** Continues what an earlier download, of any process, left of a blob. */
  async pushFrom(descriptor: Descriptor, source: ContentSource, options: PushFromOptions = {}): Promise<void> {
    const { mediaType, digest } = descriptor;
    if (isManifestType(mediaType) || isIndexType(mediaType)) return this.push(descriptor, await source(0), options);
    const { content, partials, unpacker } = this.#parts;
    const record = this.#recordLayer(descriptor);
    await receiveBlob(
      { base: this.#base, partials },
      {
        descriptor,
        source,
        signal: options.signal,
        isHere: () => content.adopt(descriptor, record),
        take: (blob) => {
          const layer = unpacker.expected(digest);
          if (layer === undefined) return content.takeArriving(blob, { ...options, record });
          return unpacker.takeArriving(blob, { signal: options.signal, onBytes: options.onProgress, ...layer });
        },
      },
    );
  }

  async resolve(reference: string, options: CallOptions = {}): Promise<Descriptor> {
    const { images, manifests, materializeDefault } = this.#parts;
    const digest = digestIn(reference);
    const found = digest === undefined ? images.manifestOfName(reference) : undefined;
    const manifest = digest === undefined ? found?.manifest : manifests.descriptor(digest);
    if (manifest !== undefined) return manifest;
    if (found === undefined || found.imageId === null)
      throw new OciError('NOT_FOUND', `${reference} is not in the store`);
    return materializeDefault(found.imageId, options);
  }

  async tag(descriptor: Descriptor, reference: string): Promise<void> {
    const { images, manifests } = this.#parts;
    const row = manifests.get(descriptor.digest);
    if (row === undefined) throw new OciError('NOT_FOUND', `${descriptor.digest} is not in the store`);
    await this.#restoreImages(row);
    const imageId = isIndexType(row.media_type) ? await this.#imageOfIndex(row.digest) : row.image_id;
    const parsed = parseReference(reference);
    if (parsed.tag !== undefined) images.tagManifest(row.digest, imageId, reference);
    else if (imageId !== null) images.addRepoDigest(imageId, `${formatName(parsed)}@${row.digest}`);
  }

  async referrers(digest: Digest, artifactType?: string): Promise<readonly Descriptor[]> {
    return this.#parts.manifests.referrers(digest, artifactType);
  }

  /** What holds a layer that is unpacked already is remembered as said to hold it: else its image could not be sent anywhere. */
  #recordLayer({ digest }: Descriptor): () => void {
    const { unpacker, blobs } = this.#parts;
    const diffId = unpacker.diffIdOf(digest);
    return () => {
      if (diffId !== undefined) blobs.putLayer({ diffId, digest, verified: false });
    };
  }

  async #pushBlob(descriptor: Descriptor, content: Readable | Uint8Array, options: CallOptions): Promise<void> {
    await this.#parts.content.pushAnd(descriptor, content, { ...options, record: this.#recordLayer(descriptor) });
  }

  async #pushDocument(descriptor: Descriptor, content: Readable | Uint8Array, options: CallOptions): Promise<void> {
    refuseLargeDocument(descriptor);
    const bytes = await collect(content, descriptor, options);
    const { manifests, content: store } = this.#parts;
    const document = parseManifestOrIndex(bytes, descriptor.mediaType);
    manifests.requireChildren(document, store);
    const image = await manifests.imageOf(document, store);
    await store.pushAnd(descriptor, bytes, {
      ...options,
      record: () => {
        // Again, now that no garbage collector can come in between.
        manifests.requireChildren(document, store);
        manifests.record(descriptor, document, image);
      },
    });
  }

  /** A manifest may be here still while its image was removed; a name brings it back. */
  async #restoreImages({ digest, media_type: mediaType, size, image_id: imageId }: ManifestRow): Promise<void> {
    const { content, manifests, images } = this.#parts;
    if (isIndexType(mediaType)) {
      for (const child of parseIndex(await content.read(digest)).manifests) {
        const row = manifests.get(child.digest);
        if (row !== undefined) await this.#restoreImages(row);
      }
    } else if (imageId !== null && !images.has(imageId)) {
      await this.#pushDocument({ mediaType, digest, size }, await content.read(digest), {});
    }
  }

  /** The image of an index that this machine would run, else the first that is here. */
  async #imageOfIndex(digest: Digest): Promise<Digest | null> {
    const { content, manifests } = this.#parts;
    const index = parseIndex(await content.read(digest));
    const imageOf = (child: Descriptor | undefined): Digest | null =>
      (child === undefined ? null : manifests.get(child.digest)?.image_id) ?? null;
    return imageOf(bestFor(index)) ?? imageOf(index.manifests.find((child) => imageOf(child) !== null));
  }
}

/** The entry that this machine would run. */
function bestFor(index: ImageIndex): Descriptor | undefined {
  try {
    return selectManifest(index, hostPlatform());
  } catch (error) {
    if (error instanceof OciError && error.code === 'NO_MATCHING_PLATFORM') return undefined;
    throw error;
  }
}

function digestIn(reference: string): Digest | undefined {
  const bare = reference.startsWith('@') ? reference.slice(1) : reference;
  return isDigest(bare) ? bare : parseReference(reference).digest;
}
