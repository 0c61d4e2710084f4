/** Media types of image-spec 1.1 and of docker's schema 2, by role. */
export const mediaTypes = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  ociForeignLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  ociForeignLayerGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
} as const;

export type Compression = 'none' | 'gzip' | 'zstd';

/** The highest level of each; what is not compressed takes any number that one of them would. The lowest is 0. */
export const largestLevels = { gzip: 9, zstd: 22, none: 22 } as const satisfies Record<Compression, number>;

/** Whose media types the documents of an image have: image-spec's, or those of docker's schema 2. */
export type DocumentFormat = 'oci' | 'docker';

/** Layers by format and compression. docker's zstd is BuildKit's and containerd's word; docker's own tools know none. */
export const layerTypes = {
  oci: { none: mediaTypes.ociLayer, gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd },
  docker: { none: mediaTypes.dockerLayer, gzip: mediaTypes.dockerLayerGzip, zstd: mediaTypes.dockerLayerZstd },
} as const satisfies Record<DocumentFormat, Record<Compression, string>>;

const layerCompression: ReadonlyMap<string, Compression> = new Map<string, Compression>([
  [mediaTypes.ociLayer, 'none'],
  [mediaTypes.ociLayerGzip, 'gzip'],
  [mediaTypes.ociLayerZstd, 'zstd'],
  [mediaTypes.dockerLayer, 'none'],
  [mediaTypes.dockerLayerGzip, 'gzip'],
  [mediaTypes.dockerLayerZstd, 'zstd'],
  [mediaTypes.dockerForeignLayer, 'gzip'],
  [mediaTypes.ociForeignLayer, 'none'],
  [mediaTypes.ociForeignLayerGzip, 'gzip'],
]);

export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerIndex;
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest;
}

export function isConfigType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociConfig || mediaType === mediaTypes.dockerConfig;
}

export function isLayerType(mediaType: string): boolean {
  return layerCompression.has(mediaType);
}

/** How a layer of this media type is said to be compressed; undefined for what is not a layer. */
export function compressionOf(mediaType: string): Compression | undefined {
  return layerCompression.get(mediaType);
}

/** Layers that may not be distributed, such as those of Windows bases. */
export function isForeignLayerType(mediaType: string): boolean {
  return mediaType.startsWith(mediaTypes.ociForeignLayer) || mediaType === mediaTypes.dockerForeignLayer;
}

/** Manifests and indexes: what a registry keeps under `/manifests/`. */
export function isDocumentType(mediaType: string): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType);
}
