import type { CallOptions } from '../../oci/index.ts';
import { discard } from '../http/body.ts';
import { header, type HttpResponse } from '../http/dispatch.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { call, nameOf, type RepositoryConnection } from './connection.ts';
import { acceptedManifests, manifestPath, notFound } from './manifests.ts';

/** How many pulls a registry allows in a span of time. */
export interface RateLimit {
  readonly limit: number | undefined;
  readonly remaining: number;
  /** Of `limit` and `remaining`. */
  readonly windowSeconds: number | undefined;
  /** Whose pulls are counted together: an address, an account. */
  readonly source: string | undefined;
}

/**
 * Asks by HEAD how many pulls are left, which Docker Hub does not count as one. Mirrors are passed over: their limits are
 * others. Asked once, also where the answer is 429: who has used up his pulls is told so.
 * @returns undefined where the registry tells of no limit
 * @throws OciError NOT_FOUND; RegistryError
 */
export async function readRateLimit(
  connection: RepositoryConnection,
  reference: string,
  { signal }: CallOptions,
): Promise<RateLimit | undefined> {
  const own = { ...connection, mirrors: undefined };
  const headers = { accept: acceptedManifests };
  const response = await call(own, { method: 'HEAD', path: manifestPath(reference), headers, attempts: 1, signal });
  await discard(response);
  const told = rateLimitOf(response);
  if (told !== undefined || response.status === 200) return told;
  if (response.status === 404) throw notFound(connection, reference);
  const action = `ask for the limits of ${nameOf(connection)}`;
  throw await errorFromResponse(response, { action, host: connection.host });
}

/** Docker Hub's headers, `100;w=21600`; the names of draft-ietf-httpapi-ratelimit-headers. */
export function rateLimitOf(response: HttpResponse): RateLimit | undefined {
  const remaining = parseQuota(header(response, 'ratelimit-remaining'));
  const limit = parseQuota(header(response, 'ratelimit-limit'));
  if (remaining === undefined) return undefined;
  const source = header(response, 'docker-ratelimit-source');
  return {
    limit: limit?.count,
    remaining: remaining.count,
    windowSeconds: remaining.window ?? limit?.window,
    source: source !== undefined && /^[\x21-\x7e]{1,128}$/.test(source) ? source : undefined,
  };
}

function parseQuota(
  text: string | undefined,
): { readonly count: number; readonly window: number | undefined } | undefined {
  const [, count, window] = /^\s*(\d{1,12})\s*(?:;\s*w=(\d{1,9}))?/.exec(text ?? '') ?? [];
  if (count === undefined) return undefined;
  return { count: Number(count), window: window === undefined ? undefined : Number(window) };
}
