import {
  compact,
  describe,
  type Descriptor,
  type Digest,
  fetchBytes,
  formatPlatform,
  type ImageIndex,
  isDigest,
  isIndexType,
  mediaTypes,
  normalizePlatform,
  parseIndex,
  type Platform,
  serializeIndex,
} from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import type { ImagePlace, PlaceOptions } from '../images/image-place.ts';
import { openDestination } from '../images/open-destination.ts';
import { openForRemoval, openPlace } from '../images/open-place.ts';

/** What an entry of an index is to say; what is left out stays. */
export interface EntryChanges {
  readonly platform?: Partial<Platform> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/**
 * Changes what an index says of one of its manifests, and gives it back its name.
 * @param list where the index is; a plain name is in the store
 * @param manifest a digest, or a place whose image is meant
 * @throws BuildError IMAGE_NOT_FOUND where the index does not list it; IMAGE_INVALID for no index
 */
export async function annotateIndex(
  list: string,
  manifest: string,
  changes: EntryChanges,
  options: PlaceOptions,
): Promise<Descriptor> {
  const { signal } = options;
  await using place = await openForRemoval(list, { ...options, plain: 'store', allowRemote: true });
  const root = await place.resolve({ signal });
  if (!isIndexType(root.mediaType)) {
    throw new BuildError('IMAGE_INVALID', `${list} is a single image, no list of manifests`, {
      hint: '`slipway manifest create` makes one',
    });
  }
  const index = parseIndex(await fetchBytes(place.target, root, { signal }), root.mediaType);
  const digest = await digestOfEntry(manifest, options);
  const changed = changeEntry(index, digest, changes, list);
  const content = serializeIndex(changed);
  const descriptor = describe(changed.mediaType, content);
  await putIndex(place, { ...descriptor, data: content }, list, options);
  return descriptor;
}

async function digestOfEntry(manifest: string, options: PlaceOptions): Promise<Digest> {
  if (isDigest(manifest)) return manifest;
  await using place = await openPlace(manifest, { ...options, plain: 'store-or-docker', allowRemote: true });
  return (await place.resolve({ signal: options.signal })).digest;
}

function changeEntry(index: ImageIndex, digest: Digest, changes: EntryChanges, list: string): ImageIndex {
  if (!index.manifests.some((entry) => entry.digest === digest)) {
    const has = index.manifests.map(
      (entry) => `${entry.digest} ${entry.platform ? formatPlatform(entry.platform) : ''}`,
    );
    throw new BuildError('IMAGE_NOT_FOUND', `${list} does not list ${digest}`, { details: has.slice(0, 20) });
  }
  const manifests = index.manifests.map((entry) => (entry.digest === digest ? changedEntry(entry, changes) : entry));
  // docker's lists have no place for annotations; an OCI index may list docker's manifests.
  const mediaType = changes.annotations === undefined ? index.mediaType : mediaTypes.ociIndex;
  return { ...index, mediaType, manifests };
}

function changedEntry(entry: Descriptor, { platform, annotations }: EntryChanges): Descriptor {
  const { data: _, ...rest } = entry;
  return compact<Descriptor>({
    ...rest,
    platform: platform === undefined ? entry.platform : changedPlatform(entry, platform),
    annotations: annotations === undefined ? entry.annotations : { ...entry.annotations, ...annotations },
  });
}

function changedPlatform({ digest, platform }: Descriptor, changes: Partial<Platform>): Platform {
  const { os, architecture, ...rest } = { ...platform, ...compact<Partial<Platform>>(changes) };
  if (os === undefined || architecture === undefined)
    throw new BuildError('IMAGE_INVALID', `${digest} has no platform yet: both --os and --arch are needed`);
  return normalizePlatform({ os, architecture, ...rest });
}

/** Into the store goes the index alone: what it lists is there, and may be for other machines. */
async function putIndex(
  place: ImagePlace,
  { data, ...index }: Descriptor & { readonly data: Uint8Array },
  list: string,
  options: PlaceOptions,
): Promise<void> {
  const { signal } = options;
  await using destination = await openDestination(list, { ...options, plain: 'store' });
  const names = [destination.reference];
  if (destination.kind === 'store') {
    await destination.target.push(index, data, { signal });
    for (const name of names) await destination.target.tag(index, name, { signal });
  } else await destination.receive(place.target, { ...index, data }, { signal, names, mountFrom: [] });
  await destination.commit({ signal });
}
