import type { CopyEvent } from './copy-events.ts';
import { GraphWalk } from './copy-walk.ts';
import { restrictPlatforms } from './copy-platforms.ts';
import type { Descriptor } from './descriptor.ts';
import type { Platform } from './platform.ts';
import type { MountOrigins } from './copy-transfer.ts';
import type { CallOptions, Target } from './target.ts';

export interface CopyOptions extends CallOptions {
  /** Transfers at once; 6 unless given. */
  readonly concurrency?: number;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
  /** Repositories that may hold a blob which the destination can mount; only the source unless given. */
  readonly mountFrom?: MountOrigins;
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

/**
 * Copies `root` and all it names, children before parents, each digest once. Returns the root that was copied, which is
 * another one where `mapRoot` or `platforms` say so. On failure all transfers are stopped before it rejects.
 * @throws CopyError naming the side that failed; the signal's reason
 */
export async function copyGraph(
  from: Target,
  to: Target,
  root: Descriptor,
  options: CopyOptions = {},
): Promise<Descriptor> {
  const walk = new GraphWalk(from, to, options);
  return walk.finish(async () => {
    const mapped = (await options.mapRoot?.(root, from, { signal: walk.signal })) ?? root;
    const top = await restrictPlatforms(from, mapped, options.platforms ?? [], { signal: walk.signal });
    await walk.copy(top);
    if (options.referrers === true) await walk.copyReferrers();
    const { data: _, ...copied } = top;
    return copied;
  });
}

/**
 * Copies what `reference` names in `from`, then gives it each of `names` in `to`: a name never stands before its content.
 * @throws OciError NOT_FOUND, CopyError
 */
export async function copyReference(
  from: Target,
  reference: string,
  to: Target,
  options: CopyOptions & { readonly names: readonly string[] },
): Promise<Descriptor> {
  const { signal } = options;
  const copied = await copyGraph(from, to, await from.resolve(reference, { signal }), options);
  for (const name of options.names) await to.tag(copied, name, { signal });
  return copied;
}
