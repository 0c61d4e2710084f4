import { pipeline, type Readable, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import {
  brotliDecompress,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  gunzip,
  inflate,
  zstdDecompress,
} from 'node:zlib';
import { RegistryError } from '../error.ts';
import { abandon } from '../http/body.ts';
import { header, type HttpResponse } from '../http/dispatch.ts';
import { codeOf } from '../record.ts';

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

export function isKnownEncoding(response: HttpResponse): boolean {
  return decoders.has(encodingOf(response));
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

type Decompress = (bytes: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const decompressors: ReadonlyMap<string, Decompress> = new Map<string, Decompress>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
  ['zstd', promisify(zstdDecompress)],
]);

/**
 * What a body with a Content-Encoding may stand for, the likely first: as a proxy compressed it, or as it is where only
 * its label is wrong.
 */
export async function readings(response: HttpResponse, body: Buffer, limit: number): Promise<readonly Buffer[]> {
  const decompress = decompressors.get(encodingOf(response));
  if (decompress === undefined) return [body];
  try {
    return [await decompress(body, { maxOutputLength: limit }), body];
  } catch {
    return [body];
  }
}

/** True for an error of a decoder: the bytes are not what their label says. */
export function isDecodingError(error: unknown): boolean {
  return /^(?:Z_|ZSTD_|ERR_BROTLI|ERR__|ERR_PADDING)/.test(codeOf(error));
}

function encodingOf(response: HttpResponse): string {
  return (header(response, 'content-encoding') ?? '').trim().toLowerCase();
}
