import { Readable } from 'node:stream';
import type { ContentSource } from '../../oci/index.ts';

/** Bytes at hand as content that can be read again. */
export function sourceOf(content: Uint8Array): ContentSource {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  return async (offset) =>
    Readable.from(offset === bytes.length ? [] : [bytes.subarray(offset)], { objectMode: false });
}
