import { familiarName, parseReference, runConfigToJson } from '../oci/index.ts';
import type { ImageRecord } from '../store/index.ts';
import type { Row } from './list.ts';
import type { Value } from './template/value.ts';

/** An image as `docker inspect` shows it. */
export function inspectImage(image: ImageRecord): Row {
  const { config } = image;
  const last = config.history.at(-1);
  return {
    Id: image.id,
    RepoTags: image.names.map((name) => familiarName(parseReference(name))),
    RepoDigests: image.repoDigests.map((name) => familiarName(parseReference(name))),
    Parent: '',
    Comment: last?.comment ?? '',
    Created: config.created ?? '',
    Author: config.author ?? '',
    Config: runConfigToJson(config.config) as Value,
    Architecture: image.platform.architecture,
    ...(image.platform.variant === undefined ? {} : { Variant: image.platform.variant }),
    Os: image.platform.os,
    Size: image.size,
    RootFS: { Type: 'layers', Layers: [...config.diffIds] },
    ...(image.manifest === undefined
      ? {}
      : {
          Descriptor: { mediaType: image.manifest.mediaType, digest: image.manifest.digest, size: image.manifest.size },
        }),
  };
}
