import { addAbortSignal, Readable } from 'node:stream';
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
  if (descriptor.size > maxDocumentSize) {
    const { digest, size } = descriptor;
    throw new OciError(
      'TOO_LARGE',
      `${digest} is said to have ${size} bytes; a document has ${maxDocumentSize} at most`,
    );
  }
  return collect(await from.fetch(descriptor, options), descriptor, options);
}

/** All of `content`, verified; it cannot grow beyond the described size. */
export async function collect(
  content: Readable | Uint8Array,
  descriptor: Descriptor,
  options: CallOptions = {},
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of verifiedChunks(content, descriptor, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * The pieces of `content` as they come, for whoever writes them somewhere: fails before its end if they are not what
 * `descriptor` says, or with the signal's reason. A stream is destroyed on failure.
 */
export async function* verifiedChunks(
  content: Readable | Uint8Array,
  descriptor: Descriptor,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const { signal } = options;
  signal?.throwIfAborted();
  const verifier = new Verifier(descriptor);
  try {
    for await (const chunk of piecesOf(content, signal)) {
      verifier.update(chunk);
      yield chunk;
    }
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
  verifier.finish();
}

function piecesOf(
  content: Readable | Uint8Array,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (!(content instanceof Readable)) return content.byteLength === 0 ? [] : [content];
  if (signal !== undefined) addAbortSignal(signal, content);
  return content;
}
