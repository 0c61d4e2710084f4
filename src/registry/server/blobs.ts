import { pipeline } from 'node:stream/promises';
import { digestFrom, type Exchange, sendEmpty } from './exchange.ts';
import { ProtocolError } from './protocol-error.ts';
import type { StoredBlob } from './storage.ts';

/** GET and HEAD of `/v2/<name>/blobs/<digest>`, one Range allowed (distribution-spec, "Pulling blobs"). */
export async function getBlob(exchange: Exchange, reference: string): Promise<void> {
  const { request, response } = exchange;
  const digest = digestFrom(reference);
  const blob = await exchange.repository.blob(digest);
  if (blob === undefined) throw new ProtocolError('BLOB_UNKNOWN', `${exchange.name} has no blob ${digest}`);
  const range = rangeOf(request.headers.range, blob);
  const [start, end] = range ?? [0, blob.size - 1];
  response.writeHead(range === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': end - start + 1,
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
    ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${blob.size}` }),
  });
  if (request.method === 'HEAD' || blob.size === 0) {
    response.end();
    return;
  }
  await pipeline(blob.read(start, end), response);
}

/** The bytes asked for, first and last; undefined for all. Several ranges, or what is no range, mean all (RFC 9110 §14.2). */
function rangeOf(header: string | undefined, { size }: StoredBlob): readonly [number, number] | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const [, first = '', last = ''] = match;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < start) return undefined;
  if (start < size && start <= end) return [start, end];
  throw new ProtocolError('SIZE_INVALID', 'the range is beyond the blob', {
    status: 416,
    headers: { 'content-range': `bytes */${size}` },
  });
}

export async function deleteBlob(exchange: Exchange, reference: string): Promise<void> {
  const digest = digestFrom(reference);
  if (!(await exchange.repository.deleteBlob(digest))) {
    throw new ProtocolError('BLOB_UNKNOWN', `${exchange.name} has no blob ${digest}`);
  }
  sendEmpty(exchange.response, 202, {});
}
