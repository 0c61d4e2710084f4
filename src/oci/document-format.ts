import type { Descriptor } from './descriptor.ts';
import { OciError } from './error.ts';
import type { ImageIndex, Manifest } from './manifest.ts';
import {
  type Compression,
  compressionOf,
  type DocumentFormat,
  isConfigType,
  isForeignLayerType,
  isLayerType,
  layerTypes,
  mediaTypes,
} from './media-types.ts';

/** Hears of what a format has no place for, in words: `annotations`. */
export type OnDropped = (what: string) => void;

const documentTypes = {
  oci: { manifest: mediaTypes.ociManifest, index: mediaTypes.ociIndex, config: mediaTypes.ociConfig },
  docker: { manifest: mediaTypes.dockerManifest, index: mediaTypes.dockerIndex, config: mediaTypes.dockerConfig },
} as const;

/** Foreign layers, by format and compression; there are no others. */
const foreignTypes: Readonly<Record<DocumentFormat, Readonly<Partial<Record<Compression, string>>>>> = {
  oci: { none: mediaTypes.ociForeignLayer, gzip: mediaTypes.ociForeignLayerGzip },
  docker: { gzip: mediaTypes.dockerForeignLayer },
};

/** Which of the two families a document is of. */
export function formatOf({ mediaType }: Pick<Manifest | ImageIndex, 'mediaType'>): DocumentFormat {
  return mediaType === mediaTypes.dockerManifest || mediaType === mediaTypes.dockerIndex ? 'docker' : 'oci';
}

/**
 * The same manifest with the media types of another format: config and layers are what they were. docker's format has no
 * annotations, subjects and artifacts.
 * @throws OciError UNSUPPORTED_MEDIA_TYPE for an artifact or a layer that docker's format cannot name
 */
export function manifestInFormat(manifest: Manifest, format: DocumentFormat, onDropped: OnDropped): Manifest {
  if (formatOf(manifest) === format) return manifest;
  const { config, layers } = manifest;
  const types = documentTypes[format];
  if (format === 'docker' && (manifest.artifactType !== undefined || !isConfigType(config.mediaType))) {
    const type = manifest.artifactType ?? config.mediaType;
    throw new OciError('UNSUPPORTED_MEDIA_TYPE', `an artifact (${type}) has no form in docker's format`, {
      hint: 'copy it as it is',
    });
  }
  const configType = isConfigType(config.mediaType) ? types.config : config.mediaType;
  return {
    ...bare(manifest, format, onDropped),
    mediaType: types.manifest,
    config: descriptorIn(format, { ...config, mediaType: configType }, onDropped),
    layers: layers.map((layer) =>
      descriptorIn(format, { ...layer, mediaType: layerTypeIn(format, layer.mediaType) }, onDropped),
    ),
  };
}

/** The same index in another format; its entries are those given. */
export function indexInFormat(index: ImageIndex, format: DocumentFormat, onDropped: OnDropped): ImageIndex {
  if (formatOf(index) === format) return index;
  return {
    ...bare(index, format, onDropped),
    mediaType: documentTypes[format].index,
    manifests: index.manifests.map((each) => descriptorIn(format, each, onDropped)),
  };
}

/**
 * What a layer of a media type is called in a format; other content keeps its type.
 * @throws OciError UNSUPPORTED_MEDIA_TYPE where the format has no word for it
 */
export function layerTypeIn(format: DocumentFormat, mediaType: string): string {
  const compression = compressionOf(mediaType);
  if (!isLayerType(mediaType) || compression === undefined) return mediaType;
  if (!isForeignLayerType(mediaType)) {
    if (format === 'oci' || compression !== 'zstd') return layerTypes[format][compression];
    throw new OciError('UNSUPPORTED_MEDIA_TYPE', "docker's format has no layers compressed with zstd", {
      hint: 'recompress them: --compression gzip',
    });
  }
  return foreignTypes[format][compression] ?? fail(`docker's format has no foreign layers of the type ${mediaType}`);
}

function fail(message: string): never {
  throw new OciError('UNSUPPORTED_MEDIA_TYPE', message);
}

function bare<T extends Manifest | ImageIndex>(document: T, format: DocumentFormat, onDropped: OnDropped): T {
  if (format === 'oci') return document;
  const { annotations, subject, artifactType, ...rest } = document;
  if (annotations !== undefined) onDropped('annotations');
  if (subject !== undefined) onDropped('the subject');
  if (artifactType !== undefined) onDropped('the artifact type');
  return rest as T;
}

function descriptorIn(format: DocumentFormat, descriptor: Descriptor, onDropped: OnDropped): Descriptor {
  if (format === 'oci') return descriptor;
  const { annotations, artifactType, data: _, ...rest } = descriptor;
  if (annotations !== undefined) onDropped('annotations');
  if (artifactType !== undefined) onDropped('artifact types');
  return rest;
}
