import type { CopyEvent, Descriptor, Digest, Platform } from '../../oci/index.ts';
import type { PlaceOptions } from '../images/image-place.ts';

/** Which tags of a repository are meant; all that some rule lets in and none keeps out. */
export interface TagFilter {
  /** Expressions that a whole tag must match; every tag unless given. */
  readonly include?: readonly string[] | undefined;
  /** Expressions of tags that are left out. */
  readonly exclude?: readonly string[] | undefined;
  /** Ranges of versions (npm's semver), such as `>=1.20 <2`; tags that are no versions are in none. */
  readonly semver?: readonly string[] | undefined;
}

/** One repository, or one image of it, that is to be the same elsewhere. */
export interface SyncTask {
  /** A place; its tag counts only where `single` says so. */
  readonly source: string;
  readonly target: string;
  /** Only the tag that `source` names. */
  readonly single: boolean;
  readonly tags: TagFilter;
  readonly platforms?: readonly Platform[] | undefined;
  /** Also what refers to the images. */
  readonly referrers: boolean;
  /** Takes away tags of the target that the source has not, of those that the filter lets in; nothing with `single`. */
  readonly prune: boolean;
}

/** What became of one tag. */
export interface SyncedTag {
  readonly source: string;
  readonly target: string;
  readonly tag: string;
  /** `kept`: there already under this name, and not to be replaced. With `dryRun` it is what would be done. */
  readonly outcome: 'same' | 'copied' | 'kept' | 'pruned' | 'failed';
  readonly digest?: Digest | undefined;
  readonly error?: unknown;
}

export interface SyncOptions extends PlaceOptions {
  readonly dryRun?: boolean | undefined;
  /** What fails does not stop the others. */
  readonly keepGoing?: boolean | undefined;
  /** Tags that the target has stay as they are. */
  readonly skipExisting?: boolean | undefined;
  /** Tags at work at once; 4 unless given. */
  readonly parallel?: number | undefined;
  /** What became of images of which only some platforms were wanted, from earlier runs. */
  readonly memory?: SyncMemory | undefined;
  readonly onTag?: ((tag: SyncedTag) => void) | undefined;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

/**
 * Remembers which image a part of an index made, so that a later run need not fetch the index to see that nothing changed:
 * that would count as a pull.
 */
export interface SyncMemory {
  get(root: Digest, platforms: readonly Platform[]): Digest | undefined;
  set(root: Digest, platforms: readonly Platform[], made: Descriptor): void;
}
