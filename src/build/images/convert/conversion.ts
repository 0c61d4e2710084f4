import {
  attestedDigest,
  type Compression,
  compressionOf,
  type Descriptor,
  type Digest,
  type DocumentFormat,
  fetchBytes,
  formatOf,
  formatSize,
  type ImageIndex,
  indexInFormat,
  isAttestation,
  isConfigType,
  isDocumentType,
  isForeignLayerType,
  isLayerType,
  layerTypes,
  type Manifest,
  manifestInFormat,
  parseImageConfig,
  parseManifestOrIndex,
  Semaphore,
  serializeIndex,
  serializeManifest,
  shortId,
} from '../../../oci/index.ts';
import type { CompressedLayer } from '../../../layer/index.ts';
import { BuildError } from '../../error.ts';
import type { ConvertOptions, ImageConversion } from './contract.ts';
import type { MadeContent } from './made-content.ts';

/** Indexes within indexes, as `copyGraph` has it. */
const maxIndexDepth = 3;
/** Layers compressed at once: each already uses several threads. */
const atOnce = 2;

/** What other tools say of the bytes of a compressed layer: it is not true of other bytes. */
const ofCompressedBytes =
  /^(?:containerd\.io\/snapshot\/stargz\/|io\.(?:github\.)?containers\.zstd-chunked\.|io\.github\.stargz)/;

/** One run of `convertImage`. */
export class Conversion {
  readonly #made: MadeContent;
  readonly #wanted: ImageConversion;
  readonly #options: ConvertOptions;
  readonly #format: DocumentFormat | undefined;
  readonly #room = new Semaphore(atOnce);
  readonly #begun = new Map<Digest, Promise<Descriptor>>();
  readonly #layers = new Map<Digest, Promise<CompressedLayer>>();
  readonly #noted = new Set<string>();

  constructor(made: MadeContent, wanted: ImageConversion, options: ConvertOptions) {
    this.#made = made;
    this.#wanted = wanted;
    this.#options = options;
    // docker's own tools know no zstd, so that docker's media types cannot stay.
    this.#format = wanted.format ?? (wanted.compression === 'zstd' ? 'oci' : undefined);
    if (wanted.format === 'docker' && wanted.compression === 'zstd') {
      throw new BuildError('OUTPUT_INVALID', "docker's format has no layers compressed with zstd", {
        hint: 'use --compression gzip, or --format oci',
      });
    }
  }

  /** The descriptor of what `root` became; itself where nothing had to change. */
  convert(root: Descriptor, depth = 0): Promise<Descriptor> {
    const begun = this.#begun.get(root.digest) ?? this.#document(root, depth);
    this.#begun.set(root.digest, begun);
    return begun;
  }

  async #document(root: Descriptor, depth: number): Promise<Descriptor> {
    const document = parseManifestOrIndex(await fetchBytes(this.#made, root, this.#options), root.mediaType);
    if (document.kind === 'index') {
      if (depth >= maxIndexDepth)
        throw new BuildError('IMAGE_INVALID', `indexes are nested more than ${maxIndexDepth} deep at ${root.digest}`);
      const index = await this.#index(document, depth);
      return index === document ? root : this.#made.addDocument(index.mediaType, serializeIndex(index));
    }
    const manifest = await this.#manifest(document);
    return manifest === document ? root : this.#made.addDocument(manifest.mediaType, serializeManifest(manifest));
  }

  async #index(index: ImageIndex, depth: number): Promise<ImageIndex> {
    const became = new Map<Digest, Digest>();
    const manifests: Descriptor[] = [];
    for (const entry of this.#kept(index.manifests)) {
      if (!isDocumentType(entry.mediaType)) {
        manifests.push(entry);
        continue;
      }
      const { mediaType, digest, size } = await this.convert(entry, depth + 1);
      became.set(entry.digest, digest);
      const { data: _, ...lean } = entry;
      manifests.push(digest === entry.digest ? entry : { ...lean, mediaType, digest, size });
    }
    const isSame =
      manifests.length === index.manifests.length && manifests.every((each, at) => each === index.manifests[at]);
    const changed = isSame ? index : { ...index, manifests: manifests.map((each) => pointedAnew(each, became)) };
    return this.#format === undefined ? changed : indexInFormat(changed, this.#format, (what) => this.#dropped(what));
  }

  /** docker's lists hold images alone. */
  #kept(entries: readonly Descriptor[]): readonly Descriptor[] {
    if (this.#format !== 'docker') return entries;
    const images = entries.filter((each) => !isAttestation(each));
    if (images.length < entries.length) this.#dropped('attestations');
    return images;
  }

  async #manifest(manifest: Manifest): Promise<Manifest> {
    const layers = await this.#recompressed(manifest);
    const isSame = layers.every((layer, at) => layer === manifest.layers[at]);
    const changed = isSame ? manifest : { ...manifest, layers };
    return this.#format === undefined
      ? changed
      : manifestInFormat(changed, this.#format, (what) => this.#dropped(what));
  }

  async #recompressed(manifest: Manifest): Promise<readonly Descriptor[]> {
    const wanted = manifest.layers.map((layer) => this.#compressionFor(layer));
    if (wanted.every((each) => each === undefined) || !isConfigType(manifest.config.mediaType)) return manifest.layers;
    const { diffIds } = parseImageConfig(await fetchBytes(this.#made, manifest.config, this.#options));
    if (diffIds.length !== manifest.layers.length) {
      const counts = `${manifest.layers.length} layers, and its config ${diffIds.length}`;
      throw new BuildError('IMAGE_INVALID', `a manifest has ${counts}: ${manifest.config.digest}`);
    }
    const stop = new AbortController();
    const signal = this.#options.signal ? AbortSignal.any([this.#options.signal, stop.signal]) : stop.signal;
    const work = manifest.layers.map((layer, at): Promise<Descriptor> => {
      const compression = wanted[at];
      if (compression === undefined) return Promise.resolve(layer);
      return this.#layer(layer, { compression, diffId: diffIds[at], format: formatOf(manifest), signal });
    });
    try {
      return await Promise.all(work);
    } catch (error) {
      stop.abort();
      await Promise.allSettled(work);
      throw error;
    }
  }

  /** undefined: it stays as it is. */
  #compressionFor({ mediaType }: Descriptor): Compression | undefined {
    if (!isLayerType(mediaType) || isForeignLayerType(mediaType)) return undefined;
    const has = compressionOf(mediaType);
    if (this.#wanted.compression === undefined) return this.#format === 'docker' && has === 'zstd' ? 'gzip' : undefined;
    return has === this.#wanted.compression && this.#wanted.force !== true ? undefined : this.#wanted.compression;
  }

  async #layer(layer: Descriptor, { compression, diffId, format, signal }: LayerWanted): Promise<Descriptor> {
    const begun = this.#layers.get(layer.digest) ?? this.#compress(layer, compression, signal);
    this.#layers.set(layer.digest, begun);
    const made = await begun;
    if (made.diffId !== diffId) {
      throw new BuildError(
        'IMAGE_INVALID',
        `layer ${layer.digest} unpacks to ${made.diffId}, its config says ${diffId}`,
      );
    }
    const { annotations = {}, data: _, urls: _urls, ...rest } = layer;
    const kept = Object.entries(annotations).filter(([key]) => !ofCompressedBytes.test(key));
    return {
      ...rest,
      mediaType: layerTypes[format][compression],
      digest: made.digest,
      size: made.size,
      ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }),
    };
  }

  async #compress(layer: Descriptor, compression: Compression, signal: AbortSignal): Promise<CompressedLayer> {
    const { level } = this.#wanted;
    const made = await this.#room.run(() => this.#made.compress(layer, { compression, level }, { signal }), signal);
    const sizes = `${formatSize(layer.size)} became ${formatSize(made.size)}`;
    this.#options.onNote(`${shortId(layer.digest)}: compressed anew (${compression}), ${sizes}`);
    return made;
  }

  #dropped(what: string): void {
    if (this.#noted.has(what)) return;
    this.#noted.add(what);
    this.#options.onNote(`docker's format has no place for ${what}: left out`);
  }
}

interface LayerWanted {
  readonly compression: Compression;
  readonly diffId: Digest | undefined;
  /** Of the manifest that names it. */
  readonly format: DocumentFormat;
  readonly signal: AbortSignal;
}

/** BuildKit's attestations say in the index which manifest they are about. */
function pointedAnew(entry: Descriptor, became: ReadonlyMap<Digest, Digest>): Descriptor {
  const about = entry.annotations?.[attestedDigest];
  const now = about === undefined ? undefined : became.get(about as Digest);
  return now === undefined ? entry : { ...entry, annotations: { ...entry.annotations, [attestedDigest]: now } };
}
