import type { CallOptions, Digest } from '../../oci/index.ts';

export type CacheSharing = 'shared' | 'private' | 'locked';

/** A folder that outlives steps, as a step wants it: `RUN --mount=type=cache`. */
export interface CacheMountWant {
  readonly id: string;
  /** Tells apart what began differently under one id: content that it was filled with, an owner. Empty for the usual. */
  readonly origin: string;
  readonly sharing: CacheSharing;
  readonly readOnly: boolean;
  /** Of the folder itself, where it is made. */
  readonly owner: FolderOwner;
  /** A new one is to be filled by the caller, who then says `ready`; until then nobody else gets it. */
  readonly filled: boolean;
}

export interface FolderOwner {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface HeldCacheMount {
  readonly folder: string;
  /** It was made for this want, and is to be filled where that was said. */
  readonly isNew: boolean;
}

/** Folders that a step uses; given back when it is over. */
export interface CacheMountUse extends AsyncDisposable {
  /** In the order of the wants. */
  readonly mounts: readonly HeldCacheMount[];
  /** What was new is filled now. */
  ready(): void;
}

export interface CacheMountRecord {
  readonly name: string;
  readonly id: string;
  readonly origin: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly lastUsed: number;
  readonly inUse: boolean;
  /** The tar that it was last written to or read from, while it was not used since. */
  readonly archive: Digest | undefined;
}

export interface ExportedCacheMount {
  /** Of the tar. */
  readonly diffId: Digest;
  /** What was written; undefined where the content is that of the tar that was there. */
  readonly written: { readonly digest: Digest; readonly size: number } | undefined;
  readonly owner: FolderOwner;
}

export interface ArchivedCacheMount {
  readonly id: string;
  readonly origin: string;
  readonly created: number;
  readonly lastUsed: number;
  readonly owner: FolderOwner;
  /** Of the compressed file, and of the tar in it. */
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
}

/** Cache mounts: ordinary folders of the store with a row each. */
export interface CacheMounts {
  /**
   * Takes all that a step wants at once, so that no two steps wait for one another in a circle. `shared`: together with others that
   * share; `private`: one that nobody uses, or a new one; `locked`: waits until nobody uses it, also in other processes.
   * @param options.onWait is told once, with the id, when it has to wait.
   */
  acquire(
    wants: readonly CacheMountWant[],
    options?: CallOptions & { readonly onWait?: ((id: string) => void) | undefined },
  ): Promise<CacheMountUse>;
  /** Most recently used first. */
  list(): readonly CacheMountRecord[];
  /** Bytes on disk of each, in their order: walks through all of them. */
  measure(records: readonly CacheMountRecord[]): Promise<readonly number[]>;
  /** Deletes those that nobody uses; returns the names of those. */
  remove(records: readonly CacheMountRecord[]): Promise<readonly string[]>;
  /** Writes one into an open new file as `.tar.zst`, unless its content is that of the tar `known`. Waits until no one uses it alone. */
  exportTo(
    record: CacheMountRecord,
    options: CallOptions & { readonly fd: number; readonly known: Digest | undefined },
  ): Promise<ExportedCacheMount>;
  /** Makes one of a file, checked against its digests, in place of older ones that nobody uses. @throws LayerError */
  importFrom(file: string, archived: ArchivedCacheMount, options?: CallOptions): Promise<void>;
}
