import type { Readable } from 'node:stream';
import type { DraftLayer, LayerTask } from '../layer/index.ts';
import type {
  CallOptions,
  Compression,
  ContentReader,
  ContentWriter,
  Descriptor,
  Digest,
  FetchOptions,
  ImageConfig,
  Platform,
  Target,
  TransferMemory,
} from '../oci/index.ts';
import type { CacheMounts } from './cache-mounts/contract.ts';
import type { Privileges, RootMount } from '../system/index.ts';

/** Where a store is and how it is opened. */
export interface StoreOptions {
  readonly root: string;
  readonly privileges: Privileges;
  /** Opens an existing store without writing to it. */
  readonly readOnly?: boolean;
  /** `auto`: overlay where it can be mounted, else copy. */
  readonly snapshotter?: 'overlay' | 'copy' | 'auto';
  /**
   * How a `remote` blob is had: called with the descriptor and the labels of the repositories that offer it. The store knows no
   * registry itself.
   */
  readonly fetchRemote?: (
    descriptor: Descriptor,
    sources: readonly string[],
    options: FetchOptions,
  ) => Promise<Readable>;
  /** Ends what is left of a container whose process died; called before its folder is deleted. */
  readonly reapContainer?: (bundle: string, id: string) => void | Promise<void>;
}

/** What is on this machine (DESIGN "Data on disk"). One per process; `await using`. */
export interface Store extends AsyncDisposable {
  readonly root: string;
  readonly privileges: Privileges;
  readonly content: Content;
  readonly images: Images;
  readonly snapshots: Snapshots;
  readonly cache: CacheRecords;
  readonly cacheMounts: CacheMounts;
  readonly accounts: BuildAccounts;
  /** The store as a Target: names are image names; `fetch` of a derivable layer derives it. */
  readonly target: Target;
  /** Uploads that registries have received in part, for whoever sends the same again. */
  readonly transfers: TransferMemory;
  /**
   * Gives an image its manifest in a form, making blobs where there are none; the first form made for a name stays.
   * Returns the manifest's descriptor; all it names is then `present` (or `remote`, where `allowRemote`).
   */
  materialize(
    imageId: Digest,
    form: ImageForm,
    options?: CallOptions & { readonly allowRemote?: boolean },
  ): Promise<Descriptor>;
  /**
   * What a name stands for: an index or a manifest, which an image is given where it has none. What it names is then `present` (or
   * `remote`, where `allowRemote`).
   * @throws OciError NOT_FOUND
   */
  manifestOf(name: string, options?: CallOptions & { readonly allowRemote?: boolean }): Promise<Descriptor>;
  /** Makes sure that the snapshot of a stack of layers exists: fetches, applies. `diffIds` lowest first. */
  unpack(diffIds: readonly Digest[], options?: CallOptions & UnpackProgress): Promise<void>;
  /** Prepares for the layers of `manifest` so that `target.push` of each applies it on the way. Call before pushing them. */
  expectImage(manifest: Descriptor, config: ImageConfig, layers: readonly Descriptor[]): void;
  /**
   * Records that the layers of an image are known but not here: `remote` blobs offered by `source` (a repository's label).
   * Comes before the push of the manifest, which wants its children known.
   */
  adoptRemote(config: ImageConfig, layers: readonly Descriptor[], source: string): void;
  /**
   * Records that a cache claims a blob to hold a layer, and where it is had. What manifests say of the layer goes before it, so that
   * a false claim never takes the place of a true one.
   */
  adoptLayer(diffId: Digest, blob: Descriptor, source: string): void;
  /**
   * The blob of a layer, made in this form where there is none; it is then `present` (or `remote`, where `allowRemote`).
   * @throws StoreError LAYER_UNAVAILABLE
   */
  layerBlob(
    diffId: Digest,
    form: ImageForm,
    options?: CallOptions & { readonly allowRemote?: boolean },
  ): Promise<Descriptor>;
  /** Whether a layer can be had: from a snapshot, or a blob that is here or offered elsewhere. */
  hasLayer(diffId: Digest): boolean;
  /** Bytes of a layer's tar, or of the blob that holds it where only that is known. */
  layerSize(diffId: Digest): number | undefined;
  /**
   * The bytes of a layer: its tar, or a blob of it in whatever compression it has.
   * @throws StoreError LAYER_UNAVAILABLE
   */
  openLayer(diffId: Digest, options?: CallOptions): Promise<Readable>;
  /** Makes the folder of a container, `containers/<id>`, and names this process as its owner; returns its path. */
  registerContainer(container: ContainerRecord): Promise<string>;
  /** Deletes the folder and the record. */
  forgetContainer(id: string): Promise<void>;
  usage(): Promise<StoreUsage>;
  prune(options: PruneOptions): Promise<PruneReport>;
  /** Gives up the least valuable build results until the others fit in `limit` bytes; costs nothing while they do. */
  trimCache(options: TrimOptions): Promise<TrimReport>;
  /** Deletes what no name, image, cache record or living process refers to, such as the layers of a removed image. */
  collectGarbage(options?: CallOptions): Promise<{ readonly spaceReclaimed: number }>;
  close(): Promise<void>;
}

/** How much of the build cache stays. */
export interface TrimOptions extends CallOptions {
  /** Bytes that the results of build steps may take, beside what images hold anyway. */
  readonly limit: number;
}

/** What was given up, and the bytes that this made free. */
export interface TrimReport {
  readonly deletedCacheRecords: readonly Digest[];
  readonly spaceReclaimed: number;
}

export interface ContainerRecord {
  /** `[a-z0-9-]+`; also the name in the runtime. */
  readonly id: string;
  /** The image it was started from, which is then in use. */
  readonly image?: Digest;
}

export interface UnpackProgress {
  readonly onProgress?:
    | ((event: { readonly diffId: Digest; readonly bytes: number; readonly total: number }) => void)
    | undefined;
}

/** How the manifest of an image is made: its media types, compression and annotations. */
export interface ImageForm {
  readonly mediaTypes: 'oci' | 'docker';
  readonly compression: Compression;
  readonly level?: number;
  /** Compresses layers anew that came from elsewhere, too; they keep their own bytes otherwise. */
  readonly force?: boolean;
  /** Of the manifest. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Blobs by digest, with where they stand: here, derivable from a snapshot, or known to be elsewhere. */
export interface Content extends ContentReader, ContentWriter {
  state(digest: Digest): 'present' | 'derivable' | 'remote' | undefined;
  /** Records that a place has these blobs, whether they are here or not. */
  offer(blobs: readonly Descriptor[], source: string): void;
  /** Labels of the places that offer a blob. */
  sources(digest: Digest): readonly string[];
  /** All bytes of a small blob (manifest, config); fails above 8 MiB. */
  read(digest: Digest): Promise<Buffer>;
}

/** An image of the store, with what is told of it. */
export interface ImageRecord {
  /** The config's digest: docker's image id. */
  readonly id: Digest;
  /** Full names with tag (`docker.io/library/debian:12`), sorted; empty for a dangling image. */
  readonly names: readonly string[];
  /** Names of indexes that list it among others, sorted; those that stand for this image are in `names`. */
  readonly partOf: readonly string[];
  /** `repository@digest` forms under which it was pulled or pushed. */
  readonly repoDigests: readonly string[];
  readonly manifest?: Descriptor;
  readonly config: ImageConfig;
  readonly platform: Platform;
  /** Sum of the uncompressed layers, bytes, where known. */
  readonly size: number;
}

export interface Images {
  list(): readonly ImageRecord[];
  /**
   * By name (docker.io/library and `latest` filled in), by `name@digest`, or by id or unambiguous id prefix.
   * @throws StoreError AMBIGUOUS_ID
   */
  find(reference: string): ImageRecord | undefined;
  /** The manifest or index that a name stands for, where it has one yet. */
  rootOf(name: string): Descriptor | undefined;
  /** Ids of the images of the index that a name stands for; none for another name. */
  partsOf(name: string): readonly Digest[];
  /** Writes the config and registers the image; layers must be known. Returns its id. */
  create(config: ImageConfig, names: readonly string[]): Promise<Digest>;
  /** @param like a name whose manifest or index the new one gets too, where it stands for that image */
  tag(id: Digest, name: string, like?: string): void;
  /** Removes one name, and the digests of its repository with its last tag there; the image stays. Returns what was removed. */
  untag(name: string): readonly string[];
  /** Removes an image with all its names; layers go with the next gc unless others use them. */
  remove(id: Digest): RemovedImage;
  /** As `remove`, unless it has a name, is part of an index that has one, or another living process uses it; false then. */
  removeUnused(id: Digest): boolean;
  addRepoDigest(id: Digest, repoDigest: string): void;
}

export interface RemovedImage {
  readonly untagged: readonly string[];
  readonly deleted: readonly Digest[];
}

export interface ActiveSnapshot {
  readonly id: string;
  readonly parent: Digest | undefined;
  /** How to mount it writable. */
  readonly root: RootMount;
  /** The folder that holds the changes (overlay), or the whole tree (copy). */
  readonly folder: string;
  readonly driver: 'overlay' | 'copy';
  /** Where `diff` writes the header list, and where whoever makes a layer in another way puts its own. */
  readonly headerList: string;
}

export interface DiffSnapshotOptions extends CallOptions {
  /** Seconds since 1970; later times in headers become this, and things that only differ in such times are the same. */
  readonly clampTo?: number | undefined;
}

/** How a layer is made whose blob is wanted, too. */
export interface PackSnapshotOptions extends DiffSnapshotOptions {
  /**
   * The form in which the layer's blob will be asked for: it is made in the same pass, if nothing is in the way. The diffID is only known
   * when that is done.
   */
  readonly blobForm?: ImageForm | undefined;
}

/** Stacks of unpacked layers, by chainID; undefined: none. */
export interface RestackOptions extends DiffSnapshotOptions {
  /** What the new layer shows… */
  readonly top: Digest;
  /** …and what it need not, since that is below it. */
  readonly below: Digest | undefined;
  /** What it is put upon; it holds the same as `below`, times perhaps aside. */
  readonly onto: Digest | undefined;
}

export interface Snapshots {
  readonly driver: 'overlay' | 'copy';
  has(chainId: Digest): boolean;
  /** A new writable snapshot over `parent`, which must be unpacked; owned by this process until committed or discarded. */
  prepare(parent: Digest | undefined): Promise<ActiveSnapshot>;
  /** A diff will be asked for, though not at once: what it needs is there by then. Dispose of it when it is asked for. */
  expectDiff(): Disposable;
  /** Makes the layer of what was changed in `active`, the same for both drivers, and its header list. Unmount it before. */
  diff(active: ActiveSnapshot, options?: PackSnapshotOptions): Promise<DraftLayer>;
  /** `diff` as data, for a thread that is at work on the snapshot anyway: see `makeLayer`. */
  layerTask(active: ActiveSnapshot, options?: DiffSnapshotOptions): LayerTask;
  /** Names the changes. Where another process was first, its snapshot is kept and ours discarded. Returns the chainID. */
  commit(active: ActiveSnapshot, draft: DraftLayer): Promise<Digest>;
  /** Makes one that was mounted and written to fit to be mounted again. Unmount it before. */
  reopen(active: ActiveSnapshot): Promise<void>;
  /** Takes it away; one that was committed stays. */
  discard(active: ActiveSnapshot): Promise<void>;
  /**
   * Makes one layer of all that `top` has over `below`, and commits it over `onto`; gives its diffID. The same again is
   * remembered.
   */
  restack(options: RestackOptions): Promise<Digest>;
  /** How to mount a committed snapshot read-only; undefined chainID: an empty tree. */
  view(chainId: Digest | undefined): RootMount;
  /** Folders of its layers, uppermost first (overlay), or its one folder (copy). */
  lowers(chainId: Digest): readonly string[];
}

/** A finished step: what its key stands for, and the named parts of the key, so that a miss can be explained. */
export interface CacheRecord {
  readonly key: Digest;
  readonly parts: Readonly<Record<string, string>>;
  readonly diffId: Digest;
  readonly parent: Digest | undefined;
  /** Milliseconds that the step took. */
  readonly duration?: number | undefined;
}

export interface CacheRecords {
  /** A record whose layer can no longer be had is none, unless `withoutLayer` says that what it was is enough. */
  get(key: Digest, options?: { readonly withoutLayer?: boolean }): CacheRecord | undefined;
  put(record: CacheRecord): void;
  /**
   * Takes a step upon this process until disposed, so that it is done once: waits while another build, in this process or another,
   * is at it. Ask again for the record then: it may be there.
   */
  claim(key: Digest, options?: CallOptions): Promise<Disposable>;
  /** A stored fact, such as the content digest of (chainID, selector); `kind` is a short word. */
  fact(kind: string, key: string): string | undefined;
  putFact(kind: string, key: string, value: string): void;
}

/** What a build did, kept so that it can be asked about later; the document is the builder's. */
export interface BuildAccount {
  /** Id of the build. */
  readonly build: string;
  /** The same for builds of the same Dockerfile and context. */
  readonly project: string;
  /** Ids of the images that it made. */
  readonly images: readonly Digest[];
  readonly document: string;
}

/** Accounts of the last builds; older ones make room. */
export interface BuildAccounts {
  put(account: BuildAccount): void;
  /** The latest of a project. */
  latest(project: string): BuildAccount | undefined;
  /** By the id of the build or its beginning, or by an image that it made: the latest. */
  find(reference: string): BuildAccount | undefined;
}

export interface StoreUsage {
  readonly images: UsageRow;
  readonly containers: UsageRow;
  readonly volumes: UsageRow;
  readonly buildCache: UsageRow;
}

export interface UsageRow {
  readonly total: number;
  readonly active: number;
  readonly size: number;
  readonly reclaimable: number;
}

export interface PruneOptions extends CallOptions {
  /** Also images without containers, not only dangling ones. */
  readonly all: boolean;
  /** False: images stay. */
  readonly images?: boolean;
  readonly buildCache: boolean;
  /** Milliseconds since 1970: only what was not used since, and images that were made before. */
  readonly before?: number | undefined;
  /** Which of the images; all unless given. */
  readonly chooseImage?: ((image: ImageRecord) => boolean) | undefined;
}

export interface PruneReport {
  readonly untagged: readonly string[];
  readonly deleted: readonly Digest[];
  readonly deletedCacheRecords: readonly Digest[];
  /** Their ids; one may come several times. */
  readonly deletedCacheMounts: readonly string[];
  readonly spaceReclaimed: number;
}
