import { Readable } from 'node:stream';
import { type ContentSource, type Descriptor, type PushFromOptions, verifyBytes } from '../../oci/index.ts';
import type { RepositoryConnection } from './connection.ts';
import { sourceOf } from './content-source.ts';
import { pushContent } from './upload-content.ts';
import type { UploadSession } from './upload-session.ts';
import { pushStream } from './upload-stream.ts';

export interface BlobToPush {
  readonly descriptor: Descriptor;
  /** A function gives the content again, from any byte on. */
  readonly content: Readable | Uint8Array | ContentSource;
  /** An upload that the registry has opened for it already, in answer to a mount. */
  readonly session?: UploadSession | undefined;
}

/**
 * Stores a blob: bytes and what can be read again whole, in one request where that goes; a stream in chunks.
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH; RegistryError; the content's own error
 */
export async function pushBlob(
  connection: RepositoryConnection,
  blob: BlobToPush,
  options: PushFromOptions,
): Promise<void> {
  await connection.uploads.run(() => send(connection, blob, options), options.signal);
}

async function send(
  connection: RepositoryConnection,
  { descriptor, content, session }: BlobToPush,
  options: PushFromOptions,
): Promise<void> {
  if (content instanceof Readable) return pushStream(connection, { descriptor, content, session }, options);
  if (typeof content === 'function') return pushContent(connection, { descriptor, source: content, session }, options);
  options.signal?.throwIfAborted();
  verifyBytes(descriptor, content);
  await pushContent(connection, { descriptor, source: sourceOf(content), session }, options);
}
