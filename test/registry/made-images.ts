import {
  describe as describeContent,
  type Descriptor,
  digestOf,
  type Manifest,
  mediaTypes,
  serializeIndex,
  serializeManifest,
  type Target,
} from '../../src/oci/index.ts';

/** What is different about an image that a test makes. */
export interface MadeImage {
  readonly architecture?: string;
  /** Contents of its layers; texts are no tars. */
  readonly layers?: readonly (string | Buffer)[];
  readonly docker?: boolean;
  readonly manifest?: Partial<Manifest>;
}

/** Puts a small image into a place, under a tag where one is given. */
export async function pushImage(to: Target, tag?: string, image: MadeImage = {}): Promise<Descriptor> {
  const { architecture = 'amd64', layers = ['one', 'two'], docker = false } = image;
  const contents = layers.map((layer) => (typeof layer === 'string' ? Buffer.from(layer) : layer));
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: contents.map((content) => digestOf(content)) },
    }),
  );
  const layerType = docker ? mediaTypes.dockerLayer : mediaTypes.ociLayer;
  const manifest: Manifest = {
    kind: 'manifest',
    mediaType: docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
    config: describeContent(docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig, config),
    layers: contents.map((content) => describeContent(layerType, content)),
    ...image.manifest,
  };
  if (image.manifest?.config === undefined) await to.push(manifest.config, config);
  for (const content of contents) await to.push(describeContent(layerType, content), content);
  return pushDocument(to, manifest.mediaType, serializeManifest(manifest), tag);
}

/** Puts an index of two platforms into a place. */
export async function pushIndex(to: Target, tag?: string): Promise<Descriptor> {
  const manifests: Descriptor[] = [];
  for (const architecture of ['amd64', 'arm64']) {
    const descriptor = await pushImage(to, undefined, { architecture, layers: ['shared', architecture] });
    manifests.push({ ...descriptor, platform: { os: 'linux', architecture } });
  }
  const index = serializeIndex({ kind: 'index', mediaType: mediaTypes.ociIndex, manifests });
  return pushDocument(to, mediaTypes.ociIndex, index, tag);
}

/** Puts a manifest or index into a place. */
export async function pushDocument(
  to: Target,
  mediaType: string,
  content: Uint8Array,
  tag?: string,
): Promise<Descriptor> {
  const descriptor = describeContent(mediaType, content);
  await to.push(descriptor, content);
  if (tag !== undefined) await to.tag(descriptor, tag);
  return descriptor;
}
