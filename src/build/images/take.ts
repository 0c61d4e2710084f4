import {
  type CallOptions,
  copyGraph,
  type CopyEvent,
  type Descriptor,
  digestOf,
  type Digest,
  fetchBytes,
  hostPlatform,
  type ImageConfig,
  isAttestation,
  isIndexType,
  parseIndex,
  type Platform,
  restrictPlatforms,
  type Target,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { withKnown } from './known-content.ts';
import { preferStore, readImage } from './resolve.ts';

export interface TakeOptions extends CallOptions {
  readonly store: Store;
  readonly platform: Platform;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

export interface TakenImage {
  readonly imageId: Digest;
  readonly manifest: Descriptor;
  readonly config: ImageConfig;
}

/** Takes the image that `root` offers for a platform into the store, layers unpacked on the way. It has no name yet. */
export async function takeImage(from: Target, root: Descriptor, options: TakeOptions): Promise<TakenImage> {
  const { store, signal, onEvent } = options;
  const image = await readImage(preferStore(store, from), root, options.platform, { signal });
  const { descriptor, manifest, manifestBytes, configBytes } = image;
  store.expectImage(descriptor, image.config, manifest.layers);
  const known = new Map([
    [descriptor.digest, manifestBytes],
    [manifest.config.digest, configBytes],
  ]);
  await copyGraph(withKnown(from, known), store.target, descriptor, { signal, onEvent });
  await store.unpack(image.config.diffIds, { signal });
  return { imageId: digestOf(image.configBytes), manifest: image.descriptor, config: image.config };
}

export interface TakeSeveralOptions extends Omit<TakeOptions, 'platform'> {
  readonly platforms: readonly Platform[];
}

/**
 * Takes the images that `root` offers for several platforms, each unpacked, and the index of them. It has no name yet.
 * @returns the index; a manifest where all platforms are one image's
 * @throws OciError NO_MATCHING_PLATFORM
 */
export async function takeImages(from: Target, root: Descriptor, options: TakeSeveralOptions): Promise<Descriptor> {
  const { platforms, store, signal, onEvent } = options;
  const [first = hostPlatform()] = platforms;
  const near = preferStore(store, from);
  const chosen = await restrictPlatforms(near, root, platforms, { signal });
  if (!isIndexType(chosen.mediaType)) return (await takeImage(from, chosen, { ...options, platform: first })).manifest;
  const { manifests } = parseIndex(await fetchBytes(near, chosen, { signal }), chosen.mediaType);
  for (const image of manifests.filter((each) => !isAttestation(each)))
    await takeImage(from, image, { ...options, platform: image.platform ?? first });
  await copyGraph(from, store.target, chosen, { signal, onEvent });
  const { mediaType, digest, size } = chosen;
  return { mediaType, digest, size };
}
