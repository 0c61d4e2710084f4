import type { Readable } from 'node:stream';
import {
  algorithmOf,
  type CallOptions,
  type CopyEvent,
  copyGraph,
  type Descriptor,
  type Digest,
  digestOf,
  isDigest,
  OciError,
  parseManifestOrIndex,
} from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import { openBlobFile } from './blob-file.ts';
import type { PlaceOptions } from './image-place.ts';
import { openDestination } from './open-destination.ts';

export interface PutBlobOptions extends PlaceOptions {
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

/**
 * Stores a file as a blob where `text` says (`NAME[@DIGEST]`); one that is there is not sent again.
 * @throws OciError DIGEST_MISMATCH for another digest than the one that was asked for, and what the place throws
 */
export async function putBlob(text: string, source: string | Readable, options: PutBlobOptions): Promise<Descriptor> {
  const { signal, onEvent } = options;
  const { name, digest } = splitDigest(text);
  await using file = await openBlobFile(source, digest === undefined ? 'sha256' : algorithmOf(digest), { signal });
  requireDigest(digest, file.blob.digest);
  await using destination = await openDestination(name, options);
  if (destination.kind === 'file' && !name.startsWith('oci')) throw noLooseBlobs(text);
  await copyGraph(file.target, destination.target, file.blob, { signal, onEvent, mountFrom: [] });
  await destination.commit({ signal });
  return file.blob;
}

export interface PutManifestOptions extends PlaceOptions {
  /** What it is, where its own `mediaType` does not say so. */
  readonly mediaType?: string | undefined;
}

/**
 * Stores a manifest or index as it is, under a tag, or under its digest alone where `text` says that.
 * @throws OciError INVALID_MANIFEST, DIGEST_MISMATCH, and what the place throws
 */
export async function putManifest(text: string, content: Uint8Array, options: PutManifestOptions): Promise<Descriptor> {
  const { signal } = options;
  const { name, digest: wanted } = splitDigest(text);
  const { mediaType } = parseManifestOrIndex(content, options.mediaType);
  const digest = digestOf(content, wanted === undefined ? 'sha256' : algorithmOf(wanted));
  requireDigest(wanted, digest);
  const descriptor: Descriptor = { mediaType, digest, size: content.byteLength };
  await using destination = await openDestination(name, options);
  await destination.target.push(descriptor, content, { signal });
  if (wanted === undefined || destination.kind === 'file') await named(destination, descriptor, { signal });
  await destination.commit({ signal });
  return descriptor;
}

async function named(
  { target, reference }: Awaited<ReturnType<typeof openDestination>>,
  descriptor: Descriptor,
  options: CallOptions,
): Promise<void> {
  await target.tag(descriptor, reference, options);
}

function splitDigest(text: string): { readonly name: string; readonly digest?: Digest } {
  const at = text.lastIndexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  return isDigest(digest) ? { name: text.slice(0, at), digest } : { name: text };
}

function requireDigest(wanted: Digest | undefined, found: Digest): void {
  if (wanted === undefined || wanted === found) return;
  throw new OciError('DIGEST_MISMATCH', `the content is ${found}, not ${wanted}`);
}

function noLooseBlobs(text: string): BuildError {
  return new BuildError('OUTPUT_INVALID', `${text}: an archive holds images, no loose blobs`);
}
