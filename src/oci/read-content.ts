import { addAbortSignal, type Readable } from 'node:stream';
import type { Descriptor } from './descriptor.ts';
import { OciError } from './error.ts';
import { maxDocumentSize } from './json.ts';
import type { CallOptions, ContentReader } from './target.ts';
import { Verifier } from './verify-stream.ts';

/**
 * All bytes of a small blob (manifest, config), verified; content embedded in the descriptor is used as it is.
 * @throws OciError TOO_LARGE above 8 MiB, NOT_FOUND, DIGEST_MISMATCH, SIZE_MISMATCH
 */
export async function fetchBytes(
  from: ContentReader,
  descriptor: Descriptor,
  options: CallOptions = {},
): Promise<Uint8Array> {
  if (descriptor.data !== undefined) return descriptor.data;
  refuseLarge(descriptor);
  return collect(await from.fetch(descriptor, options), descriptor, options);
}

/** @throws OciError TOO_LARGE for a document above 8 MiB */
export function refuseLarge(descriptor: Descriptor): void {
  if (descriptor.size <= maxDocumentSize) return;
  const { digest, size } = descriptor;
  throw new OciError('TOO_LARGE', `${digest} is said to have ${size} bytes; a document has ${maxDocumentSize} at most`);
}

/** Reads a stream into memory and verifies it; it cannot grow beyond the described size. The stream is destroyed on failure. */
export async function collect(stream: Readable, descriptor: Descriptor, options: CallOptions = {}): Promise<Buffer> {
  const { signal } = options;
  if (signal !== undefined) addAbortSignal(signal, stream);
  const verifier = new Verifier(descriptor);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      verifier.update(chunk);
      chunks.push(chunk);
    }
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
  verifier.finish();
  return Buffer.concat(chunks);
}
