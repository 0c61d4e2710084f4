import { type LayerFacts, surveyInWorker } from '../../layer/index.ts';
import {
  algorithmOf,
  type CallOptions,
  codeOf,
  compressionOf,
  type Descriptor,
  type Digest,
  fetchBytes,
  formatPlatform,
  historyByLayer,
  type ImageConfig,
  type ImageIndex,
  isAttestation,
  isConfigType,
  isForeignLayerType,
  isLayerType,
  type Manifest,
  normalizePlatform,
  parseImageConfig,
  parseManifestOrIndex,
  type Target,
  verifiedChunks,
} from '../../oci/index.ts';
import { messageOf } from '../../errors.ts';
import type { Finding, FindingCode, ValidationReport } from './report.ts';

export interface ValidationOptions extends CallOptions {
  readonly fast: boolean;
  readonly onLayer?: ((layer: Descriptor) => void) | undefined;
}

/** As `copyGraph` has it. */
const maxIndexDepth = 3;

/** What an error says of the content; any other says that it could not be had. */
const meanings: Readonly<Record<string, FindingCode>> = {
  NOT_FOUND: 'missing',
  DIGEST_MISMATCH: 'corrupt',
  SIZE_MISMATCH: 'corrupt',
  INVALID_MANIFEST: 'malformed',
  INVALID_DESCRIPTOR: 'malformed',
  INVALID_CONFIG: 'malformed',
  UNSUPPORTED_MEDIA_TYPE: 'malformed',
  TOO_LARGE: 'malformed',
  INVALID_TAR: 'malformed',
  TRUNCATED: 'malformed',
  INVALID_COMPRESSION: 'malformed',
  UNSUPPORTED_COMPRESSION: 'malformed',
};

/** One run over what a place holds; content that is named twice is read once. */
export class Validation {
  readonly #target: Target;
  readonly #options: ValidationOptions;
  readonly #findings: Finding[] = [];
  readonly #documents = new Set<Digest>();
  readonly #blobs = new Map<Digest, Promise<LayerFacts | undefined>>();
  #bytes = 0;

  constructor(target: Target, options: ValidationOptions) {
    this.#target = target;
    this.#options = options;
  }

  report(): ValidationReport {
    const valid = this.#findings.every(({ severity }) => severity === 'warning');
    return {
      valid,
      findings: this.#findings,
      documents: this.#documents.size,
      blobs: this.#blobs.size,
      bytes: this.#bytes,
    };
  }

  hasSeen(digest: Digest): boolean {
    return this.#documents.has(digest) || this.#blobs.has(digest);
  }

  warn(code: FindingCode, subject: string, message: string): void {
    this.#findings.push({ severity: 'warning', code, subject, message });
  }

  /** Checks a manifest or index and all that it leads to. Gives the config of an image. */
  async check(descriptor: Descriptor, depth = 0): Promise<ImageConfig | undefined> {
    const { digest } = descriptor;
    if (this.#documents.has(digest)) return undefined;
    this.#documents.add(digest);
    const document = await this.#found(digest, async () =>
      parseManifestOrIndex(await fetchBytes(this.#target, descriptor, this.#call), descriptor.mediaType),
    );
    if (document === undefined) return undefined;
    if (document.kind === 'manifest') return this.#checkManifest(digest, document);
    if (depth >= maxIndexDepth) this.#error('malformed', digest, `indexes are nested more than ${maxIndexDepth} deep`);
    else await this.#checkIndex(document, depth + 1);
    return undefined;
  }

  get #call(): CallOptions {
    return { signal: this.#options.signal };
  }

  #error(code: FindingCode, subject: string, message: string): void {
    this.#findings.push({ severity: 'error', code, subject, message });
  }

  /** What `read` gives; undefined with a finding where the content is at fault. */
  async #found<T>(subject: Digest, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      const code = meanings[String(codeOf(error))];
      if (code === undefined) throw error;
      this.#error(code, subject, messageOf(error));
      return undefined;
    }
  }

  async #checkIndex(index: ImageIndex, depth: number): Promise<void> {
    for (const entry of index.manifests) {
      const config = await this.check(entry, depth);
      if (config === undefined || entry.platform === undefined || isAttestation(entry)) continue;
      const said = formatPlatform(normalizePlatform(entry.platform));
      const real = formatPlatform(normalizePlatform(config.platform));
      if (said !== real) this.warn('inconsistent', entry.digest, `is for ${real}, and the index says ${said}`);
    }
  }

  async #checkManifest(digest: Digest, manifest: Manifest): Promise<ImageConfig | undefined> {
    const config = await this.#checkConfig(manifest);
    const diffIds = config === undefined ? undefined : this.#checkCounts(digest, manifest, config);
    for (const [at, layer] of manifest.layers.entries()) await this.#checkLayer(layer, diffIds?.[at]);
    return config;
  }

  async #checkConfig({ config }: Manifest): Promise<ImageConfig | undefined> {
    this.#blobs.set(config.digest, Promise.resolve(undefined));
    return this.#found(config.digest, async () => {
      if (!isConfigType(config.mediaType)) {
        await this.#readThrough(config);
        return undefined;
      }
      const bytes = await fetchBytes(this.#target, config, this.#call);
      this.#bytes += bytes.byteLength;
      return parseImageConfig(bytes);
    });
  }

  /** The diffIDs, where they can belong to the layers. */
  #checkCounts(digest: Digest, { layers }: Manifest, config: ImageConfig): readonly Digest[] | undefined {
    const { diffIds, history } = config;
    if (history.length > 0 && diffIds.length > 0 && historyByLayer(config).every((item) => item === undefined))
      this.warn('inconsistent', digest, `its history tells of another number of layers than its ${diffIds.length}`);
    if (diffIds.length === layers.length) return diffIds;
    this.#error('inconsistent', digest, `has ${layers.length} layers, and its config ${diffIds.length} diff_ids`);
    return undefined;
  }

  async #checkLayer(layer: Descriptor, diffId: Digest | undefined): Promise<void> {
    const reading = this.#blobs.get(layer.digest) ?? this.#readLayer(layer);
    this.#blobs.set(layer.digest, reading);
    const facts = await reading;
    if (facts === undefined || diffId === undefined || facts.diffId === diffId) return;
    this.#error('inconsistent', layer.digest, `unpacks to ${facts.diffId}, and the config says ${diffId}`);
  }

  async #readLayer(layer: Descriptor): Promise<LayerFacts | undefined> {
    const { digest, mediaType } = layer;
    if (isForeignLayerType(mediaType) && !(await this.#target.exists(layer, this.#call))) return undefined;
    return this.#found(digest, async () => {
      if (this.#options.fast) {
        if (!(await this.#target.exists(layer, this.#call))) this.#error('missing', digest, 'is not there');
        return undefined;
      }
      this.#options.onLayer?.(layer);
      if (!isLayerType(mediaType)) {
        await this.#readThrough(layer);
        return undefined;
      }
      const facts = await this.#survey(layer);
      for (const warning of facts.warnings) this.warn('unusual', digest, warning);
      if (facts.compression !== compressionOf(mediaType))
        this.#error('inconsistent', digest, `is said to be ${mediaType}, and its compression is ${facts.compression}`);
      return facts;
    });
  }

  async #survey(layer: Descriptor): Promise<LayerFacts> {
    try {
      // a sha256 is computed there; others are where the content is read
      const unverified = algorithmOf(layer.digest) === 'sha256';
      const facts = await surveyInWorker(await this.#target.fetch(layer, { ...this.#call, unverified }), this.#call);
      const { digest, size } = facts.blob;
      if (unverified && (digest !== layer.digest || size !== layer.size)) await this.#readThrough(layer);
      else this.#bytes += size;
      return facts;
    } catch (error) {
      // damaged bytes mostly do not parse either: that they are not those expected says it better
      if (meanings[String(codeOf(error))] === 'malformed') await this.#readThrough(layer);
      throw error;
    }
  }

  /** @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH */
  async #readThrough(blob: Descriptor): Promise<void> {
    const content = blob.data ?? (await this.#target.fetch(blob, this.#call));
    for await (const chunk of verifiedChunks(content, blob, this.#call)) this.#bytes += chunk.byteLength;
  }
}
