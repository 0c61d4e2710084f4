import {
  type Descriptor,
  type DocumentFormat,
  formatOf,
  indexInFormat,
  layerTypeIn,
  type Manifest,
  manifestInFormat,
} from '../../oci/index.ts';
import type { ImageEdit, RootEdit } from './edit.ts';

/**
 * A layer's media type in the words of the manifest that names it; the bytes are the same.
 * @throws OciError UNSUPPORTED_MEDIA_TYPE where there are none
 */
export function likeManifest(manifest: Manifest, layer: Descriptor): Descriptor {
  return { ...layer, mediaType: layerTypeIn(formatOf(manifest), layer.mediaType) };
}

/**
 * Writes manifests and the index with the media types of one format. Layers keep their bytes; what docker's format has no place for is
 * left out, with a warning.
 */
export function toFormat(format: DocumentFormat): { readonly image: ImageEdit; readonly index: RootEdit['index'] } {
  return {
    image: ({ manifest, config }, { entry, onWarning }) => {
      const onDropped = (what: string): void => onWarning(`${entry.digest}: docker's format has no ${what}`);
      return { manifest: manifestInFormat(manifest, format, onDropped), config };
    },
    // an index that also holds other kinds of manifests stays an OCI one
    index: (index) =>
      index.manifests.every((entry) => formatOf(entry) === format)
        ? indexInFormat(index, format, () => undefined)
        : index,
  };
}
