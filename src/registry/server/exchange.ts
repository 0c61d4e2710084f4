import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Digest, isDigest } from '../../oci/index.ts';
import type { Visit } from './pipeline.ts';
import { ProtocolError } from './protocol-error.ts';
import type { Quotas } from './quotas.ts';
import type { CompleteRules } from './rules.ts';
import type { RegistryStorage, RepositoryStorage } from './storage/storage.ts';
import type { UploadSessions } from './upload-sessions.ts';

/** One request to a repository, with what it takes to answer it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly name: string;
  readonly query: URLSearchParams;
  readonly may: NonNullable<Visit['may']>;
  readonly repository: RepositoryStorage;
  readonly storage: RegistryStorage;
  readonly uploads: UploadSessions;
  readonly rules: CompleteRules;
  readonly quotas: Quotas;
}

/** @throws ProtocolError DIGEST_INVALID */
export function digestFrom(text: string | null | undefined): Digest {
  if (isDigest(text)) return text;
  throw new ProtocolError('DIGEST_INVALID', 'the digest is missing or neither sha256:<64 hex digits> nor sha512:<128>');
}

/**
 * The body of a request, which is not destroyed where it is not read to its end: its connection has our answer to carry.
 * A client that waits to hear whether its body is wanted (RFC 9110 §10.1.1) hears so here, where nothing spoke against it.
 */
export function bodyOf({ request, response }: Pick<Exchange, 'request' | 'response'>): AsyncIterable<Buffer> {
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

/** An answer without a body. */
export function sendEmpty(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>): void {
  // 204 has no length (RFC 9110 §8.6), and that of 304 would be taken for the content's.
  const bare = status === 204 || status === 304;
  response.writeHead(status, bare ? headers : { 'content-length': '0', ...headers });
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

/**
 * Whether the client has this very content already (RFC 9110 §13.1.2). Content under a digest never changes, and what a
 * tag points at is another digest when it does.
 */
export function isKnownToClient({ request }: Pick<Exchange, 'request'>, digest: Digest): boolean {
  const header = request.headers['if-none-match'];
  return header !== undefined && (header.trim() === '*' || entityTags(header).includes(digest));
}

/** The opaque parts of a list of entity tags, weak ones too. */
export function entityTags(header: string): readonly string[] {
  return header.split(',').map((tag) =>
    tag
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1'),
  );
}

export interface Paging {
  readonly query: URLSearchParams;
  readonly path: string;
  readonly pageSize: number;
}

/** What of `sorted` comes after `last`, `n` at most, and the Link header where more follows. */
export function paginate(
  sorted: readonly string[],
  { query, path, pageSize }: Paging,
): { readonly items: readonly string[]; readonly headers: Readonly<Record<string, string>> } {
  const wanted = countWanted(query, pageSize);
  const last = query.get('last');
  const rest = last === null ? sorted : sorted.filter((item) => item > last);
  const items = rest.slice(0, wanted);
  const final = items.at(-1);
  if (final === undefined || items.length === rest.length) return { items, headers: {} };
  const next = new URLSearchParams({ n: `${wanted}`, last: final });
  return { items, headers: { link: `<${path}?${next.toString()}>; rel="next"` } };
}

/** @throws ProtocolError UNSUPPORTED where `n` is no number */
export function countWanted(query: URLSearchParams, pageSize: number): number {
  const wanted = query.get('n');
  if (wanted === null) return pageSize;
  if (!/^\d{1,15}$/.test(wanted)) throw new ProtocolError('UNSUPPORTED', 'n must be a number', { status: 400 });
  return Math.min(Number(wanted), pageSize);
}
