import type { CopyEvent } from './copy-events.ts';
import type { MountOrigins } from './copy-transfer.ts';
import type { Descriptor } from './descriptor.ts';
import type { Platform } from './platform.ts';
import type { CallOptions, Target, TransferMemory } from './target.ts';

/** What of a graph is copied, and how. */
export interface CopyOptions extends CallOptions {
  /** Transfers at once; 6 unless given. */
  readonly concurrency?: number;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
  /** Repositories that may hold a blob which the destination can mount; only the source unless given. */
  readonly mountFrom?: MountOrigins;
  /**
   * What the root is called in the destination once all of it is there. What is called so already, and is the same, is not looked at
   * further where the destination is trusted (`existing`).
   */
  readonly names?: readonly string[] | undefined;
  /** Where a destination keeps what it needs to go on after this process; it goes on in this process only, unless given. */
  readonly memory?: TransferMemory | undefined;
  /**
   * Of an index, only these: for one platform its manifest becomes the root, for several a smaller index (with the
   * attestations of what it keeps). A root that is a manifest is copied whatever it is for.
   */
  readonly platforms?: readonly Platform[];
  /** Puts another root in place of the given one, before `platforms` applies. */
  readonly mapRoot?: (root: Descriptor, from: Target, options: CallOptions) => Promise<Descriptor>;
  /** Also what refers to the copied manifests (signatures, SBOMs); not copied unless true. */
  readonly referrers?: boolean;
  /** Layers that may not be distributed; `omit` unless given: the manifest goes on naming them. */
  readonly foreignLayers?: 'omit' | 'copy';
  /**
   * A manifest that the destination has: `trust` (unless given) takes its children to be there too; `look-inside` asks
   * for each, for a place whose layers may have been pruned.
   */
  readonly existing?: 'trust' | 'look-inside';
}
