import type { Readable } from 'node:stream';
import type { CallOptions, Descriptor, Digest, ImageConfig } from '../oci/index.ts';
import type { Privileges } from '../system/index.ts';
import type { StoreBase } from './base.ts';
import { StoreAccounts } from './accounts.ts';
import { Blobs, claimedByCache } from './blobs.ts';
import { StoreCacheMounts } from './cache-mounts/cache-mounts.ts';
import { StoreCacheRecords } from './cache-records.ts';
import { forgetContainer, registerContainer } from './containers.ts';
import { StoreContent } from './content.ts';
import type {
  ContainerRecord,
  ImageForm,
  PruneOptions,
  PruneReport,
  Store,
  StoreUsage,
  TrimOptions,
  TrimReport,
  UnpackProgress,
} from './contract.ts';
import { StoreError } from './error.ts';
import { GarbageCollector } from './garbage.ts';
import { ImageIndexFile } from './image-index.ts';
import { StoreImages } from './images.ts';
import { StoreLayers } from './layers.ts';
import { Manifests } from './manifests.ts';
import { defaultForm, Materializer } from './materialize.ts';
import { Partials } from './partials.ts';
import { pruneStore } from './prune.ts';
import { StoreSnapshots } from './snapshots.ts';
import { StoreTarget } from './target.ts';
import { Transfers } from './transfers.ts';
import { Trash } from './trash.ts';
import { trimCache } from './trim-cache.ts';
import { Unpacker } from './unpack.ts';
import { Unsynced } from './unsynced.ts';
import { storeUsage } from './usage.ts';

/** The store's parts put together; made by `openStore`. */
export class LocalStore implements Store {
  readonly root: string;
  readonly privileges: Privileges;
  readonly content: StoreContent;
  readonly images: StoreImages;
  readonly snapshots: StoreSnapshots;
  readonly cache: StoreCacheRecords;
  readonly cacheMounts: StoreCacheMounts;
  readonly accounts: StoreAccounts;
  readonly target: StoreTarget;
  readonly transfers: Transfers;
  readonly trash: Trash;
  readonly #base: StoreBase;
  readonly #blobs: Blobs;
  readonly #unsynced: Unsynced;
  readonly #indexFile: ImageIndexFile;
  readonly #garbage: GarbageCollector;
  readonly #unpacker: Unpacker;
  readonly #materializer: Materializer;
  readonly #layers: StoreLayers;
  readonly #partials: Partials;
  #closed = false;

  constructor(base: StoreBase) {
    this.#base = base;
    this.root = base.paths.root;
    this.privileges = base.privileges;
    this.trash = new Trash(base);
    this.#blobs = new Blobs(base);
    this.#indexFile = new ImageIndexFile(base);
    this.#unsynced = new Unsynced(base, this.#indexFile);
    this.#partials = new Partials(base);
    this.#garbage = new GarbageCollector(base, this.trash, this.#partials);
    const blobs = this.#blobs;
    this.content = new StoreContent(base, blobs, this.#partials);
    this.snapshots = new StoreSnapshots(base, {
      trash: this.trash,
      unsynced: this.#unsynced,
      packed: (form, make, options) => this.#materializer.packed(form, make, options),
    });
    this.cacheMounts = new StoreCacheMounts(base, this.trash);
    this.cache = new StoreCacheRecords(base, blobs);
    this.accounts = new StoreAccounts(base);
    this.transfers = new Transfers(base);
    const manifests = new Manifests(base, blobs);
    this.#layers = new StoreLayers(base, { blobs, content: this.content });
    this.images = new StoreImages(base, {
      blobs,
      content: this.content,
      manifests,
      layers: this.#layers,
      indexFile: this.#indexFile,
    });
    this.#unpacker = new Unpacker(base, {
      blobs,
      content: this.content,
      snapshots: this.snapshots,
      partials: this.#partials,
    });
    const parts = { content: this.content, images: this.images, manifests };
    this.#materializer = new Materializer(base, { ...parts, blobs });
    this.target = new StoreTarget(base, {
      ...parts,
      blobs,
      unpacker: this.#unpacker,
      partials: this.#partials,
      materializeDefault: (id, options) => this.materialize(id, defaultForm, options),
    });
  }

  materialize(
    imageId: Digest,
    form: ImageForm,
    options: CallOptions & { readonly allowRemote?: boolean } = {},
  ): Promise<Descriptor> {
    return this.#materializer.materialize(imageId, form, options);
  }

  manifestOf(name: string, options: CallOptions & { readonly allowRemote?: boolean } = {}): Promise<Descriptor> {
    return this.#materializer.manifestOf(name, options);
  }

  unpack(diffIds: readonly Digest[], options: CallOptions & UnpackProgress = {}): Promise<void> {
    return this.#unpacker.unpack(diffIds, options);
  }

  expectImage(_manifest: Descriptor, config: ImageConfig, layers: readonly Descriptor[]): void {
    this.#unpacker.expect(config, layers);
  }

  adoptRemote(config: ImageConfig, layers: readonly Descriptor[], source: string): void {
    this.#base.db.write(() => {
      layers.forEach((layer, at) => {
        this.#blobs.putRemote(layer, source);
        const diffId = config.diffIds[at];
        if (diffId === undefined || config.diffIds.length !== layers.length) return;
        this.#blobs.putLayer({ diffId, digest: layer.digest, verified: false });
      });
    });
  }

  /** As a cache record, it becomes durable with the image that is made of it. */
  adoptLayer(diffId: Digest, blob: Descriptor, source: string): void {
    this.#base.db.writeVolatile(() => {
      this.#blobs.putRemote(blob, source);
      this.#blobs.putLayer({ diffId, digest: blob.digest, form: claimedByCache, verified: false });
    });
  }

  layerBlob(
    diffId: Digest,
    form: ImageForm,
    options: CallOptions & { readonly allowRemote?: boolean } = {},
  ): Promise<Descriptor> {
    return this.#materializer.layer(diffId, form, options);
  }

  hasLayer(diffId: Digest): boolean {
    return this.#layers.has(diffId);
  }

  layerSize(diffId: Digest): number | undefined {
    return this.#layers.size(diffId);
  }

  openLayer(diffId: Digest, options: CallOptions = {}): Promise<Readable> {
    return this.#layers.open(diffId, options);
  }

  registerContainer(container: ContainerRecord): Promise<string> {
    return registerContainer(this.#base, container);
  }

  forgetContainer(id: string): Promise<void> {
    return forgetContainer(this.#base, this.trash, id);
  }

  async usage(): Promise<StoreUsage> {
    return storeUsage(this.#base, this.cacheMounts);
  }

  prune(options: PruneOptions): Promise<PruneReport> {
    return pruneStore(
      this.#base,
      {
        garbage: this.#garbage,
        indexFile: this.#indexFile,
        cacheMounts: this.cacheMounts,
        images: this.images,
        partials: this.#partials,
        trash: this.trash,
      },
      options,
    );
  }

  trimCache(options: TrimOptions): Promise<TrimReport> {
    return trimCache(this.#base, this.#garbage, options);
  }

  async collectGarbage(options?: CallOptions): Promise<{ readonly spaceReclaimed: number }> {
    return { spaceReclaimed: await this.#garbage.collect(options) };
  }

  /** Drops what a power cut may have taken, at opening. */
  async dropLost(othersAlive: () => boolean): Promise<void> {
    if (this.#unsynced.check({ othersAlive })) await this.#garbage.sweep();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (this.#base.options.readOnly !== true) await this.#finishWriting();
    } finally {
      await this.#base.worker.close();
      this.#base.db.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * A full disk may keep all of this from being written, and none of it is missed: the next command writes index.json, what is
   * unsynced stays so, and rows of a lock that is free are reaped.
   */
  async #finishWriting(): Promise<void> {
    try {
      await this.#indexFile.settled();
      this.#unsynced.syncInBackground();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    } finally {
      this.#base.leases.release();
    }
  }
}
