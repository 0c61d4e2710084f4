import type { Digest } from '../../oci/index.ts';
import { RegistryError } from '../error.ts';
import { discard } from '../http/body.ts';
import { header, type HttpResponse } from '../http/dispatch.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { redactUrl } from '../redact.ts';
import { call, nameOf, type RepositoryConnection } from './connection.ts';

/** An upload that the registry has opened (distribution-spec, "Pushing blobs"). */
export interface UploadSession {
  readonly location: URL;
  /** Smallest chunk that the registry takes, from `OCI-Chunk-Min-Length`; 0 where it does not say. */
  readonly minimumChunk: number;
}

export interface SessionCall {
  readonly connection: RepositoryConnection;
  readonly signal?: AbortSignal | undefined;
}

/** @throws RegistryError */
export async function startUpload({ connection, signal }: SessionCall, digest: Digest): Promise<UploadSession> {
  // registries hash as they receive; those that know more than sha256 want to hear it now (distribution-spec 1.2)
  const query = digest.startsWith('sha512:') ? '?digest-algorithm=sha512' : '';
  const response = await call(connection, {
    method: 'POST',
    path: `blobs/uploads/${query}`,
    body: new Uint8Array(),
    actions: ['push'],
    signal,
  });
  if (response.status !== 202) throw await uploadError(connection, digest, response);
  await discard(response);
  return sessionOf(response);
}

/** The upload that an answer with status 202 opens. @throws RegistryError BAD_RESPONSE, REDIRECT_REFUSED */
export function sessionOf(response: HttpResponse): UploadSession {
  const minimum = header(response, 'oci-chunk-min-length') ?? '';
  return {
    location: locationOf(response, undefined),
    minimumChunk: /^\d{1,10}$/.test(minimum) ? Number(minimum) : 0,
  };
}

/**
 * Asks how much of an upload has arrived.
 * @returns the number of bytes and where to go on; undefined where the session is gone
 */
export async function uploadStatus(
  { connection, signal }: SessionCall,
  location: URL,
): Promise<{ readonly received: number; readonly location: URL } | undefined> {
  const response = await call(connection, { method: 'GET', path: location, actions: ['push'], signal });
  await discard(response);
  if (response.status !== 204 && response.status !== 200 && response.status !== 202) return undefined;
  const received = receivedBytes(response);
  return received === undefined ? undefined : { received, location: locationOf(response, location) };
}

/** Tells the registry that an upload will not be finished. Never throws, and does not ask whether it was heard. */
export async function cancelUpload(connection: RepositoryConnection, location: URL): Promise<void> {
  try {
    const signal = AbortSignal.timeout(5_000);
    await discard(await call(connection, { method: 'DELETE', path: location, actions: ['push'], attempts: 1, signal }));
  } catch {
    // the registry clears up by itself after a while
  }
}

/** `Range: 0-1023` means 1024 bytes; `0-0` is what registries say for none, one byte having no word of its own. */
export function receivedBytes(response: HttpResponse): number | undefined {
  const match = /^(?:bytes=)?0-(\d{1,16})$/.exec(header(response, 'range') ?? '');
  if (match === null) return undefined;
  return match[1] === '0' ? 0 : Number(match[1]) + 1;
}

/**
 * Where the registry wants the next part; it may be another host (then no credentials go there), but never plain http
 * after https.
 * @throws RegistryError BAD_RESPONSE, REDIRECT_REFUSED
 */
export function locationOf(response: HttpResponse, before: URL | undefined): URL {
  const value = header(response, 'location');
  if (value === undefined && before !== undefined) return before;
  const url = value === undefined ? null : URL.parse(value, response.url.href);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new RegistryError('BAD_RESPONSE', `${response.url.host} opened an upload without a usable Location`);
  }
  if (response.url.protocol === 'https:' && url.protocol === 'http:') {
    throw new RegistryError('REDIRECT_REFUSED', `the upload would leave https for plain http: ${redactUrl(url)}`);
  }
  url.username = '';
  url.password = '';
  return url;
}

/** The address that ends an upload; the query of the location is kept as it is, byte by byte. */
export function commitUrl(location: URL, digest: Digest): URL {
  const url = new URL(location);
  url.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${encodeURIComponent(digest)}`;
  return url;
}

export function uploadError(
  connection: RepositoryConnection,
  digest: Digest,
  response: HttpResponse,
): Promise<RegistryError> {
  return errorFromResponse(response, { action: `push ${nameOf(connection, digest)}`, host: connection.host });
}
