import { pipeline } from 'node:stream/promises';
import type { Digest } from '../../oci/index.ts';
import { digestFrom, entityTags, type Exchange, isKnownToClient, sendEmpty } from './exchange.ts';
import { ProtocolError } from './protocol-error.ts';
import type { StoredBlob } from './storage/storage.ts';

/** GET and HEAD of `/v2/<name>/blobs/<digest>`, one Range allowed (distribution-spec, "Pulling blobs"). */
export async function getBlob(exchange: Exchange, reference: string): Promise<void> {
  const { request, response } = exchange;
  const digest = digestFrom(reference);
  const blob = await exchange.repository.blob(digest);
  if (blob === undefined) throw unknown(exchange, digest);
  if (request.method === 'HEAD') await exchange.repository.keep(digest);
  const etag = `"${digest}"`;
  if (isKnownToClient(exchange, digest)) {
    sendEmpty(response, 304, { etag, 'docker-content-digest': digest });
    return;
  }
  const range = rangeOf(exchange, digest, blob);
  const [start, end] = range ?? [0, blob.size - 1];
  response.writeHead(range === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': end - start + 1,
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag,
    ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${blob.size}` }),
  });
  if (request.method === 'HEAD' || blob.size === 0) {
    response.end();
    return;
  }
  if (blob.send === undefined) return pipeline(blob.read(start, end), response);
  await blob.send(response, [start, end]);
  response.end();
}

type Range = readonly [start: number, end: number];

/**
 * The bytes asked for, first and last; undefined for all. Of several ranges all is sent, as RFC 9110 §14.2 lets us, and
 * what is no range in bytes is ignored. One that ends before it starts is refused (§14.1.1): who asks so would not
 * expect the whole.
 */
function rangeOf({ request }: Exchange, digest: Digest, { size }: StoredBlob): Range | undefined {
  const header = request.headers.range;
  const condition = request.headers['if-range'];
  const ranges = /^bytes=(.+)$/
    .exec(header ?? '')?.[1]
    ?.split(',')
    .map((part) => parseRange(part.trim(), size));
  if (ranges === undefined || ranges.includes('invalid')) return undefined;
  if (condition !== undefined && !entityTags(String(condition)).includes(digest)) return undefined;
  const satisfiable = ranges.filter((range): range is Range => typeof range !== 'string');
  if (satisfiable.length > 0) return ranges.length === 1 ? satisfiable[0] : undefined;
  throw new ProtocolError('SIZE_INVALID', 'the range is beyond the blob', {
    status: 416,
    headers: { 'content-range': `bytes */${size}` },
  });
}

function parseRange(text: string, size: number): Range | 'invalid' | 'unsatisfiable' {
  const match = /^(\d{0,15})-(\d{0,15})$/.exec(text);
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return 'invalid';
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start < size && start <= end ? [start, end] : 'unsatisfiable';
}

export async function deleteBlob(exchange: Exchange, reference: string): Promise<void> {
  const digest = digestFrom(reference);
  if (!(await exchange.repository.deleteBlob(digest))) {
    throw unknown(exchange, digest);
  }
  exchange.quotas.forget(exchange.name);
  sendEmpty(exchange.response, 202, {});
}

function unknown({ name }: Exchange, digest: Digest): ProtocolError {
  return new ProtocolError('BLOB_UNKNOWN', `${name} has no blob ${digest}`, { detail: { digest } });
}
