import {
  type CallOptions,
  type Descriptor,
  fetchBytes,
  hostPlatform,
  type ImageConfig,
  isConfigType,
  isIndexType,
  parseImageConfig,
  parseIndex,
  parseManifest,
  type Platform,
  restrictPlatforms,
} from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import type { ImagePlace } from './image-place.ts';

/** What an image's documents say, wherever it is; no layer is read for it. */
export interface ImageView {
  /** What the place's name stands for: the manifest, or an index. */
  readonly root: Descriptor;
  /** Entries of the index that the name stands for; empty where it stands for a manifest. */
  readonly entries: readonly Descriptor[];
  readonly manifest: Descriptor;
  /** The descriptor of the config: its digest is docker's image id. */
  readonly id: Descriptor;
  readonly config: ImageConfig;
  /** As they lie there; compressed, as a rule. Lowest first. */
  readonly layers: readonly Descriptor[];
}

export interface ViewOptions extends CallOptions {
  /** Which image of an index; of this machine unless given. */
  readonly platform?: Platform | undefined;
}

/**
 * Reads the documents of the image that `place` names: two requests to a registry, three where there is an index.
 * @throws BuildError IMAGE_INVALID (an artifact, or another number of layers than of diffIDs), OciError NO_MATCHING_PLATFORM, and what the place throws
 */
export async function viewImage(place: ImagePlace, { platform, signal }: ViewOptions): Promise<ImageView> {
  const root = await place.resolve({ signal, reads: true });
  const read = (descriptor: Descriptor): Promise<Uint8Array> => fetchBytes(place.target, descriptor, { signal });
  const entries = isIndexType(root.mediaType) ? parseIndex(await read(root), root.mediaType).manifests : [];
  const manifest = await restrictPlatforms(place.target, root, [platform ?? hostPlatform()], { signal });
  const { config: id, layers } = parseManifest(await read(manifest), manifest.mediaType);
  if (!isConfigType(id.mediaType)) {
    throw new BuildError('IMAGE_INVALID', `${place.text} is not an image: its config is ${id.mediaType}`, {
      hint: `\`slipway manifest get ${place.text}\` shows what it is`,
    });
  }
  const config = parseImageConfig(await read(id));
  if (config.diffIds.length !== layers.length) {
    const counts = `its manifest has ${layers.length} layers, its config ${config.diffIds.length}`;
    throw new BuildError('IMAGE_INVALID', `${place.text} is not a whole image: ${counts}`);
  }
  return { root, entries, manifest, id, config, layers };
}
