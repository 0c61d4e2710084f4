import {
  type Descriptor,
  describe as describeContent,
  digestOf,
  type ImageConfig,
  type ImageIndex,
  type Manifest,
  mediaTypes,
  serializeConfig,
  serializeIndex,
  serializeManifest,
  type Target,
} from '../../../src/oci/index.ts';
import { gzipSync } from 'node:zlib';
import { encodeHeader, endOfArchive, paddingFor, type TarEntry } from '../../../src/layer/index.ts';

/** An entry of a tar that a test makes. */
export type MadeEntry = Partial<Omit<TarEntry, 'name' | 'linkName' | 'size'>> & {
  readonly name: string;
  readonly link?: string;
  readonly content?: string;
};

/** A tar of some entries. */
export function tarOf(entries: readonly MadeEntry[]): Buffer {
  const pieces = entries.flatMap(({ name, link, content = '', ...rest }) => {
    const body = Buffer.from(content);
    const entry: TarEntry = {
      type: 'file',
      mode: rest.type === 'directory' ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      mtimeNs: 1_700_000_000_000_000_000n,
      ...rest,
      name: Buffer.from(name),
      size: body.length,
      ...(link !== undefined && { linkName: Buffer.from(link) }),
    };
    return [encodeHeader(entry), body, paddingFor(body.length)];
  });
  return Buffer.concat([...pieces, endOfArchive]);
}

export interface MadeImage {
  readonly tars?: readonly Buffer[];
  readonly config?: Partial<ImageConfig>;
  readonly manifest?: Partial<Manifest>;
  readonly docker?: boolean;
}

const someTars = [tarOf([{ name: 'one', content: '1' }]), tarOf([{ name: 'two', content: '2' }])];

/** Puts an image of real layers into a place. */
export async function pushRealImage(to: Target, tag?: string, made: MadeImage = {}): Promise<Descriptor> {
  const { tars = someTars, docker = false } = made;
  const layerType = docker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip;
  const blobs = tars.map((tar) => gzipSync(tar));
  const config = serializeConfig({
    platform: { os: 'linux', architecture: 'amd64' },
    created: '2024-01-02T03:04:05Z',
    config: { Env: ['PATH=/bin', 'A=1'], Cmd: ['sh'], Labels: { kept: 'yes' } },
    diffIds: tars.map((tar) => digestOf(tar)),
    history: tars.map((_, at) => ({ created: '2024-01-02T03:04:05Z', createdBy: `step ${at}` })),
    ...made.config,
  });
  const manifest: Manifest = {
    kind: 'manifest',
    mediaType: docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
    config: describeContent(docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig, config),
    layers: blobs.map((blob) => describeContent(layerType, blob)),
    ...made.manifest,
  };
  if (made.manifest?.config === undefined) await to.push(manifest.config, config);
  for (const [at, blob] of blobs.entries()) await to.push(manifest.layers[at] as Descriptor, blob);
  return pushDocument(to, manifest.mediaType, serializeManifest(manifest), tag);
}

/** Puts an index of images into a place. */
export async function pushRealIndex(
  to: Target,
  tag: string,
  images: Readonly<Record<string, MadeImage>>,
  index: Partial<ImageIndex> = {},
): Promise<Descriptor> {
  const manifests: Descriptor[] = [];
  for (const [architecture, image] of Object.entries(images)) {
    const platform = { os: 'linux', architecture };
    const descriptor = await pushRealImage(to, undefined, { ...image, config: { ...image.config, platform } });
    manifests.push({ ...descriptor, platform });
  }
  const content = serializeIndex({ kind: 'index', mediaType: mediaTypes.ociIndex, manifests, ...index });
  return pushDocument(to, index.mediaType ?? mediaTypes.ociIndex, content, tag);
}

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
