import type { CopyOptions } from './copy-options.ts';
import { GraphWalk } from './copy-walk.ts';
import { restrictPlatforms } from './copy-platforms.ts';
import type { Descriptor } from './descriptor.ts';
import type { Target } from './target.ts';

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
    await walk.copyRoot(top);
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
  return copyGraph(from, to, await from.resolve(reference, { signal }), options);
}
