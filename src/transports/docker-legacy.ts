import { createHash } from 'node:crypto';
import { addAbortSignal } from 'node:stream';
import {
  type CallOptions,
  type Descriptor,
  describe,
  type Digest,
  finishDigest,
  type ImageConfig,
  type Manifest,
  mediaTypes,
  parseImageConfig,
  serializeIndex,
  serializeManifest,
} from '../oci/index.ts';
import type { ArchiveFiles } from './archive-files.ts';
import { namesOf, parseDockerManifest, type SavedImage } from './docker-manifest.ts';
import { TransportError } from './error.ts';
import { type LayoutFile, type LayoutFiles, memoryFile, readDocument } from './layout-files.ts';
import { blobPath } from './layout-reader.ts';

/**
 * Shows an older `docker save` archive (image-spec has no word on it; moby, image/tarexport) as the files of a layout: each
 * layer is hashed once, a manifest is made for each image.
 * @throws TransportError INVALID_ARCHIVE
 */
export async function legacyFiles(archive: ArchiveFiles, options: CallOptions = {}): Promise<LayoutFiles> {
  const made = new LegacyArchive(archive, options);
  const saved = parseDockerManifest(await readDocument(archive, 'manifest.json'), archive.label);
  for (const image of saved) await made.add(image);
  return made.files();
}

class LegacyArchive {
  readonly #archive: ArchiveFiles;
  readonly #options: CallOptions;
  readonly #paths = new Map<string, string>();
  readonly #documents = new Map<string, Buffer>();
  /** By place in the archive: one layer has a name in each image that uses it. */
  readonly #layers = new Map<number, Descriptor>();
  readonly #entries: Descriptor[] = [];

  constructor(archive: ArchiveFiles, options: CallOptions) {
    this.#archive = archive;
    this.#options = options;
  }

  async add(image: SavedImage): Promise<void> {
    const bytes = await readDocument(this.#archive, image.config);
    if (bytes === undefined) throw this.#invalid(`it lacks the config ${image.config}`);
    const config = describe(mediaTypes.dockerConfig, bytes);
    this.#documents.set(blobPath(config.digest), bytes);
    const layers: Descriptor[] = [];
    for (const path of image.layers) layers.push(await this.#layer(path));
    this.#checkLayers(parseImageConfig(bytes), layers, image);
    const manifest: Manifest = { kind: 'manifest', mediaType: mediaTypes.dockerManifest, config, layers };
    const content = serializeManifest(manifest);
    const descriptor = describe(mediaTypes.dockerManifest, content);
    this.#documents.set(blobPath(descriptor.digest), content);
    this.#entries.push(...namesOf(descriptor, image.repoTags));
  }

  files(): LayoutFiles {
    const { label } = this.#archive;
    this.#documents.set('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
    const index = { kind: 'index', mediaType: mediaTypes.ociIndex, manifests: this.#entries } as const;
    this.#documents.set('index.json', serializeIndex(index));
    return {
      label,
      open: async (path) => {
        const document = this.#documents.get(path);
        if (document !== undefined) return memoryFile(document);
        const layer = this.#paths.get(path);
        return layer === undefined ? undefined : this.#archive.open(layer);
      },
    };
  }

  async #layer(path: string): Promise<Descriptor> {
    const offset = this.#archive.offset(path);
    const known = offset === undefined ? undefined : this.#layers.get(offset);
    if (known !== undefined) return known;
    const file = await this.#archive.open(path);
    if (file === undefined || offset === undefined) throw this.#invalid(`it lacks the layer ${path}`);
    const { digest, mediaType } = await examine(file, this.#options);
    const descriptor = { mediaType, digest, size: file.size };
    this.#layers.set(offset, descriptor);
    this.#paths.set(blobPath(digest), path);
    return descriptor;
  }

  /** A plain tar's digest is its diffID, so that a changed layer is found here. */
  #checkLayers({ diffIds }: ImageConfig, layers: readonly Descriptor[], image: SavedImage): void {
    if (diffIds.length !== layers.length) {
      throw this.#invalid(`${image.config} names ${diffIds.length} layers, manifest.json ${layers.length}`);
    }
    const wrong = layers.findIndex(
      ({ mediaType, digest }, at) => mediaType === mediaTypes.dockerLayer && digest !== diffIds[at],
    );
    if (wrong < 0) return;
    throw this.#invalid(`layer ${image.layers[wrong]} is ${layers[wrong]?.digest}, its config says ${diffIds[wrong]}`);
  }

  #invalid(rule: string): TransportError {
    return new TransportError('INVALID_ARCHIVE', `${this.#archive.label} is not a sound image archive: ${rule}`);
  }
}

async function examine(
  file: LayoutFile,
  { signal }: CallOptions,
): Promise<{ readonly digest: Digest; readonly mediaType: string }> {
  const hash = createHash('sha256');
  let mediaType: string | undefined;
  const stream = file.read();
  if (signal !== undefined) addAbortSignal(signal, stream);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    mediaType ??= typeByMagic(chunk);
    for (let at = 0; at < chunk.byteLength; at += 64 * 1024) hash.update(chunk.subarray(at, at + 64 * 1024));
  }
  return { digest: finishDigest(hash), mediaType: mediaType ?? mediaTypes.dockerLayer };
}

/** docker load takes compressed layers too, whatever their name. */
function typeByMagic(start: Buffer): string {
  const magic = start.subarray(0, 4).toString('hex');
  if (magic.startsWith('1f8b')) return mediaTypes.dockerLayerGzip;
  return magic === '28b52ffd' ? mediaTypes.dockerLayerZstd : mediaTypes.dockerLayer;
}
