import {
  type CallOptions,
  type Descriptor,
  type Digest,
  fetchBytes,
  formatName,
  isDigest,
  isIndexType,
  parseIndex,
  parseManifest,
  parseReference,
  type Platform,
  selectManifest,
} from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import type { ImagePlace } from '../images/image-place.ts';
import type { EditableImage, EditContext } from './edit.ts';
import { readEditable } from './edit-root.ts';

/** Annotations that say what an image was built on (image-spec, annotations.md). */
export const baseNameAnnotation = 'org.opencontainers.image.base.name';
export const baseDigestAnnotation = 'org.opencontainers.image.base.digest';

/** What an image says of its base. */
export interface RecordedBase {
  readonly name: string;
  readonly digest?: Digest | undefined;
}

/** What the annotations of an image's manifest, else of its index, say; undefined where there is no name. */
export function recordedBase(
  manifest: EditableImage['manifest'],
  index: EditContext['index'],
): RecordedBase | undefined {
  for (const { annotations } of index === undefined ? [manifest] : [manifest, index]) {
    const name = annotations?.[baseNameAnnotation];
    if (name === undefined || name === '') continue;
    const digest = annotations?.[baseDigestAnnotation];
    return { name, digest: isDigest(digest) ? digest : undefined };
  }
  return undefined;
}

/** `NAME@DIGEST` of a base that is recorded whole. */
export function pinnedBase({ name, digest }: RecordedBase): string | undefined {
  return digest === undefined ? undefined : `${formatName(parseReference(name))}@${digest}`;
}

/** A base for one platform. */
export interface BaseImage extends EditableImage {
  readonly root: Descriptor;
  readonly descriptor: Descriptor;
}

/**
 * Reads what a place offers for a platform.
 * @throws OciError NOT_FOUND, NO_MATCHING_PLATFORM; BuildError IMAGE_INVALID
 */
export async function readBase(place: ImagePlace, platform: Platform, options: CallOptions): Promise<BaseImage> {
  const { target } = place;
  const root = await place.resolve(options);
  let descriptor = root;
  if (isIndexType(root.mediaType))
    descriptor = selectManifest(parseIndex(await fetchBytes(target, root, options), root.mediaType), platform);
  const manifest = parseManifest(await fetchBytes(target, descriptor, options), descriptor.mediaType);
  return { root, descriptor, ...(await readEditable(target, manifest, descriptor.digest, options)) };
}

/** Whether the layers of an image begin with all of its base's. */
export function isOn(image: EditableImage, base: EditableImage): boolean {
  return base.config.diffIds.every((diffId, at) => image.config.diffIds[at] === diffId);
}

/** @throws BuildError IMAGE_INVALID */
export function requireBase(base: RecordedBase | undefined, digest: Digest): RecordedBase {
  if (base !== undefined) return base;
  throw new BuildError('IMAGE_INVALID', `${digest} does not say what it was built on`, {
    hint: `it has no annotation ${baseNameAnnotation}: name the base on the command line`,
  });
}
