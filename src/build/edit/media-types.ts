import { type ImageIndex, isManifestType, type Manifest, mediaTypes } from '../../oci/index.ts';
import type { ImageEdit, RootEdit } from './edit.ts';

/** Whose words a manifest is written in. */
export type MediaTypeFamily = 'oci' | 'docker';

const pairs = [
  [mediaTypes.ociIndex, mediaTypes.dockerIndex],
  [mediaTypes.ociManifest, mediaTypes.dockerManifest],
  [mediaTypes.ociConfig, mediaTypes.dockerConfig],
  [mediaTypes.ociLayer, mediaTypes.dockerLayer],
  [mediaTypes.ociLayerGzip, mediaTypes.dockerLayerGzip],
  [mediaTypes.ociLayerZstd, mediaTypes.dockerLayerZstd],
  [mediaTypes.ociForeignLayerGzip, mediaTypes.dockerForeignLayer],
] as const;
const words: Readonly<Record<MediaTypeFamily, ReadonlyMap<string, string>>> = {
  oci: new Map(pairs.map(([oci, docker]) => [docker, oci])),
  docker: new Map(pairs),
};

function as<Described extends { readonly mediaType: string }>(
  described: Described,
  family: MediaTypeFamily,
): Described {
  const mediaType = words[family].get(described.mediaType);
  return mediaType === undefined ? described : { ...described, mediaType };
}

/** A layer's media type in the words of the manifest that names it; the bytes are the same. */
export function likeManifest<Layer extends { readonly mediaType: string }>(
  { mediaType }: { readonly mediaType: string },
  layer: Layer,
): Layer {
  if (!isManifestType(mediaType)) return layer;
  return as(layer, mediaType === mediaTypes.dockerManifest ? 'docker' : 'oci');
}

/** Writes manifests with the media types of one family. Layers keep their bytes; docker's manifests have no annotations. */
export function toFamily(family: MediaTypeFamily): { readonly image: ImageEdit; readonly index: RootEdit['index'] } {
  return {
    image: ({ manifest, config }, { entry, onWarning }) => {
      const { annotations } = manifest;
      if (family === 'docker' && annotations !== undefined)
        onWarning(
          `${entry.digest}: docker's manifests have no annotations; ${Object.keys(annotations).length} are lost`,
        );
      return { manifest: manifestAs(manifest, family), config };
    },
    index: (index) => indexAs(index, family),
  };
}

function manifestAs(manifest: Manifest, family: MediaTypeFamily): Manifest {
  const renamed = {
    ...as(manifest, family),
    config: as(manifest.config, family),
    layers: manifest.layers.map((layer) => as(layer, family)),
  };
  return family === 'docker' ? plain(renamed) : renamed;
}

/** An index that also holds other kinds of manifests stays an OCI one. */
function indexAs(index: ImageIndex, family: MediaTypeFamily): ImageIndex {
  if (family === 'oci') return as(index, family);
  const isDocker = index.manifests.every(({ mediaType }) => mediaType === mediaTypes.dockerManifest);
  return isDocker ? plain(as(index, family)) : index;
}

function plain<Document extends Manifest | ImageIndex>(document: Document): Document {
  const { annotations: _, artifactType: __, subject: ___, ...bare } = document;
  return bare as Document;
}
