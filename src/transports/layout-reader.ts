import { addAbortSignal, pipeline, type Readable } from 'node:stream';
import {
  algorithmOf,
  type CallOptions,
  type ContentReader,
  type Descriptor,
  type Digest,
  fetchBytes,
  type FetchOptions,
  hexOf,
  isDigest,
  isDocumentType,
  OciError,
  parseManifestOrIndex,
  referrerOf,
  verifyStream,
} from '../oci/index.ts';
import { TransportError } from './error.ts';
import { type LayoutFiles, readDocument } from './layout-files.ts';
import { findEntry, type NamedManifest, namedManifests, readIndex } from './layout-index.ts';

/** Where a blob is in a layout. A digest was checked, so it cannot lead out of the folder. */
export function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

/** Reads an OCI image layout, wherever its files are. */
export class LayoutReader implements ContentReader {
  readonly #files: LayoutFiles;

  constructor(files: LayoutFiles) {
    this.#files = files;
  }

  /** @throws TransportError NOT_A_LAYOUT, INVALID_LAYOUT */
  async check(): Promise<void> {
    const { label } = this.#files;
    const bytes = await readDocument(this.#files, 'oci-layout');
    if (bytes === undefined)
      throw new TransportError('NOT_A_LAYOUT', `${label} is not an OCI layout: no oci-layout file`);
    let version: unknown;
    try {
      version = (JSON.parse(bytes.toString()) as { imageLayoutVersion?: unknown } | null)?.imageLayoutVersion;
    } catch (cause) {
      throw new TransportError('INVALID_LAYOUT', `the oci-layout file of ${label} is not valid JSON`, { cause });
    }
    if (typeof version === 'string' && version.startsWith('1.')) return;
    throw new TransportError('INVALID_LAYOUT', `${label} has layout version ${JSON.stringify(version)}, not 1.0.0`);
  }

  async fetch(descriptor: Descriptor, options: FetchOptions = {}): Promise<Readable> {
    const { signal, offset = 0, unverified = false } = options;
    signal?.throwIfAborted();
    const { digest, size } = descriptor;
    const file = await this.#files.open(blobPath(digest));
    if (file === undefined) throw new OciError('NOT_FOUND', `${digest} is not in ${this.#files.label}`);
    if (file.size !== size) {
      await file.close();
      throw new OciError('SIZE_MISMATCH', `${digest} has ${file.size} bytes in ${this.#files.label}, not ${size}`);
    }
    const stream = offset > 0 || unverified ? file.read(offset) : verified(file.read(), descriptor);
    return signal === undefined ? stream : addAbortSignal(signal, stream);
  }

  /** A file of another length is not the blob: some tools leave one under the final name when killed. */
  async exists(descriptor: Descriptor): Promise<boolean> {
    const file = await this.#files.open(blobPath(descriptor.digest));
    await file?.close();
    return file?.size === descriptor.size;
  }

  async describeBlob(digest: Digest): Promise<Descriptor> {
    const file = await this.#files.open(blobPath(digest));
    await file?.close();
    if (file === undefined) throw new OciError('NOT_FOUND', `${digest} is not in ${this.#files.label}`);
    return { mediaType: 'application/octet-stream', digest, size: file.size };
  }

  async resolve(reference: string, options: CallOptions = {}): Promise<Descriptor> {
    options.signal?.throwIfAborted();
    const entry = findEntry(await readIndex(this.#files), reference, this.#files.label);
    return entry ?? this.#nested(reference.replace(/^@/, '') as Digest);
  }

  async list(): Promise<readonly NamedManifest[]> {
    return namedManifests(await readIndex(this.#files));
  }

  async referrers(digest: Digest, artifactType?: string, options: CallOptions = {}): Promise<readonly Descriptor[]> {
    const found: Descriptor[] = [];
    for (const { descriptor } of await this.list()) {
      if (!isDocumentType(descriptor.mediaType) || !(await this.exists(descriptor))) continue;
      const document = parseManifestOrIndex(await fetchBytes(this, descriptor, options), descriptor.mediaType);
      const referrer = referrerOf(descriptor, document);
      const wanted = artifactType === undefined || referrer?.entry.artifactType === artifactType;
      if (referrer?.subject === digest && wanted) found.push(referrer.entry);
    }
    return found;
  }

  /** A manifest that index.json does not list itself, such as one platform's: its body says what it is. */
  async #nested(digest: Digest): Promise<Descriptor> {
    const bytes = isDigest(digest) ? await readDocument(this.#files, blobPath(digest)) : undefined;
    if (bytes === undefined) throw new OciError('NOT_FOUND', `${digest} is not in ${this.#files.label}`);
    return { mediaType: parseManifestOrIndex(bytes).mediaType, digest, size: bytes.byteLength };
  }
}

function verified(file: Readable, descriptor: Descriptor): Readable {
  return pipeline(file, verifyStream(descriptor), () => undefined);
}
