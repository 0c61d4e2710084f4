import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { RegistryError } from '../error.ts';
import { abandon } from '../http/body.ts';
import { header, type HttpResponse } from '../http/dispatch.ts';

const decoders: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
  ['zstd', createZstdDecompress],
]);

/**
 * True where a body is compressed on its way although we asked for `identity`, as some proxies do. A body that has just
 * the length described only carries the label of its content (a gzip layer served as `Content-Encoding: gzip`).
 */
export function isEncoded(response: HttpResponse, size: number): boolean {
  const encoding = encodingOf(response);
  return encoding !== '' && encoding !== 'identity' && header(response, 'content-length') !== String(size);
}

/**
 * The body as the registry meant it. Whoever reads counts the bytes, so that a small body cannot become a huge one.
 * @throws RegistryError BAD_RESPONSE for an encoding that we do not know
 */
export function decoded(response: HttpResponse, size: number): Readable {
  if (!isEncoded(response, size)) return response.body;
  const decoder = decoders.get(encodingOf(response))?.();
  if (decoder === undefined) {
    abandon(response.body);
    throw new RegistryError(
      'BAD_RESPONSE',
      `the answer has an unknown Content-Encoding: ${encodingOf(response).slice(0, 40)}`,
    );
  }
  return pipeline(response.body, decoder, () => {});
}

function encodingOf(response: HttpResponse): string {
  return (header(response, 'content-encoding') ?? '').trim().toLowerCase();
}
