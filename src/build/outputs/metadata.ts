import { type Digest, isIndexType } from '../../oci/index.ts';
import type { Root } from './roots.ts';

/** What a build tells of its result, under BuildKit's and buildx's names. */
export type BuildMetadata = Readonly<Record<string, unknown>>;

/** What is known of an image in the store that has no manifest yet: it gets one when it is asked for. */
export function imageMetadata(id: Digest, names: readonly string[]): BuildMetadata {
  return { 'containerimage.config.digest': id, ...(names.length === 0 ? {} : { 'image.name': names.join(',') }) };
}

/** What an output that has a manifest tells. */
export function rootMetadata({ descriptor, images }: Root, names: readonly string[]): BuildMetadata {
  const isIndex = isIndexType(descriptor.mediaType);
  const [only] = images;
  const config = isIndex || only === undefined ? undefined : only.id;
  const created = config === undefined ? undefined : only?.created;
  const annotations = {
    ...descriptor.annotations,
    ...(config === undefined ? {} : { 'config.digest': config }),
    ...(created === undefined ? {} : { 'org.opencontainers.image.created': created }),
  };
  return {
    ...(config === undefined ? {} : { 'containerimage.config.digest': config }),
    'containerimage.descriptor': {
      mediaType: descriptor.mediaType,
      digest: descriptor.digest,
      size: descriptor.size,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    'containerimage.digest': descriptor.digest,
    ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
  };
}
