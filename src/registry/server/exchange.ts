import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Digest, isDigest } from '../../oci/index.ts';
import { ProtocolError } from './protocol-error.ts';
import type { RegistryStorage, RepositoryStorage } from './storage.ts';
import type { UploadSessions } from './upload-sessions.ts';

/** One request to a repository, with what it takes to answer it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly name: string;
  readonly query: URLSearchParams;
  readonly repository: RepositoryStorage;
  readonly storage: RegistryStorage;
  readonly uploads: UploadSessions;
}

/** @throws ProtocolError DIGEST_INVALID */
export function digestFrom(text: string | null | undefined): Digest {
  if (isDigest(text)) return text;
  throw new ProtocolError('DIGEST_INVALID', 'the digest is missing or not of the form sha256:<64 hex digits>');
}

/** An answer without a body. */
export function sendEmpty(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>): void {
  // 204 has no length (RFC 9110 §8.6)
  response.writeHead(status, status === 204 ? headers : { 'content-length': '0', ...headers });
  response.end();
}

export interface JsonAnswer {
  readonly document: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function sendJson({ request, response }: Pick<Exchange, 'request' | 'response'>, answer: JsonAnswer): void {
  const body = Buffer.from(JSON.stringify(answer.document));
  response.writeHead(200, {
    'content-type': answer.contentType ?? 'application/json',
    'content-length': body.length,
    ...answer.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** What of `sorted` comes after `last`, `n` at most, and the Link header where more follows. */
export function paginate(
  sorted: readonly string[],
  query: URLSearchParams,
  path: string,
): { readonly items: readonly string[]; readonly headers: Readonly<Record<string, string>> } {
  const last = query.get('last');
  const rest = last === null ? sorted : sorted.filter((item) => item > last);
  const wanted = query.get('n');
  if (wanted === null) return { items: rest, headers: {} };
  if (!/^\d{1,9}$/.test(wanted)) throw new ProtocolError('UNSUPPORTED', 'n must be a number', { status: 400 });
  const items = rest.slice(0, Number(wanted));
  const final = items.at(-1);
  if (final === undefined || items.length === rest.length) return { items, headers: {} };
  const next = new URLSearchParams({ n: wanted, last: final });
  return { items, headers: { link: `<${path}?${next.toString()}>; rel="next"` } };
}
