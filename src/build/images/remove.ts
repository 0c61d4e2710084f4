import { type CallOptions, type Digest, familiarName, isDigest, parseReference, Semaphore } from '../../oci/index.ts';
import type { RepositoryTarget } from '../../registry/index.ts';
import { parseLocation } from '../../transports/index.ts';
import { BuildError } from '../error.ts';
import type { ImagePlace } from './image-place.ts';

/**
 * Takes away one tag and nothing else: other tags of the same manifest stay, whatever the registry can.
 * @throws OciError NOT_FOUND; RegistryError UNSUPPORTED; BuildError where there are no tags
 */
export async function removeTag(place: ImagePlace, options: CallOptions = {}): Promise<void> {
  if (isDigest(place.reference.replace(/^.*@/, ''))) {
    const hint = '`slipway manifest rm` takes a manifest away, with all its tags';
    throw new BuildError('OUTPUT_INVALID', `${place.text} is no tag`, { hint });
  }
  switch (place.kind) {
    case 'registry':
      requireTag(place);
      return place.target.deleteTag(place.reference, options);
    case 'store':
      await place.resolve(options);
      place.store.images.untag(place.reference);
      return;
    case 'file':
      if (place.target.untag === undefined) throw cannotRemove(place);
      return place.target.untag(place.reference, options);
  }
}

export interface RemoveManifestOptions extends CallOptions {
  /** Also where other tags than the given one stand for it. */
  readonly force?: boolean;
}

/**
 * Deletes a manifest from a registry, with all its tags; in the store, the name that it has there goes.
 * @returns its digest
 * @throws BuildError OUTPUT_INVALID where other tags stand for it and `force` is not given; OciError NOT_FOUND; RegistryError
 */
export async function removeManifest(
  place: ImagePlace,
  { force = false, ...options }: RemoveManifestOptions = {},
): Promise<Digest> {
  if (place.kind === 'store') {
    const root = await place.resolve(options);
    place.store.images.untag(place.reference);
    return root.digest;
  }
  if (place.kind !== 'registry') throw cannotRemove(place);
  requireTag(place);
  const { target, reference } = place;
  const { digest } = await place.resolve(options);
  const others = force ? [] : (await tagsOf(target, digest, options)).filter((tag) => tag !== reference);
  if (others.length > 0) {
    const some = `${others.slice(0, 10).join(', ')}${others.length > 10 ? ', …' : ''}`;
    throw new BuildError('OUTPUT_INVALID', `${digest} has other tags: ${some}`, {
      hint: '--force deletes it with them; `slipway tags rm` takes one tag away and no other',
    });
  }
  await target.deleteManifest(digest, options);
  return digest;
}

/** `latest` is a good guess when something is read, none when it is deleted. */
function requireTag({ text }: ImagePlace): void {
  const reference = parseReference(parseLocation(text).reference, { keepUntagged: true });
  if (reference.tag !== undefined || reference.digest !== undefined) return;
  throw new BuildError('OUTPUT_INVALID', `${text} says no tag`, { hint: `write ${familiarName(reference)}:TAG` });
}

/** Tags that are asked about at once; each costs a HEAD, which counts as no pull. */
const atOnce = 8;

/** The tags that stand for a digest now. */
async function tagsOf(target: RepositoryTarget, digest: Digest, options: CallOptions): Promise<readonly string[]> {
  const room = new Semaphore(atOnce);
  const isOne = async (tag: string): Promise<readonly string[]> => {
    const found = await target.resolve(tag, options).catch(absent);
    return found?.digest === digest ? [tag] : [];
  };
  const tags = await target.listTags(options);
  return (await Promise.all(tags.map((tag) => room.run(() => isOne(tag), options.signal)))).flat();
}

/** A tag can go between the list and the question. */
function absent(error: unknown): undefined {
  if ((error as { readonly code?: unknown }).code !== 'NOT_FOUND') throw error;
  return undefined;
}

function cannotRemove({ text }: ImagePlace): BuildError {
  return new BuildError('UNSUPPORTED', `nothing is taken out of ${text}`, { hint: 'make it anew without it' });
}
