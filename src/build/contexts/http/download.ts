import { createHash } from 'node:crypto';
import { open, rm, utimes } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../../errors.ts';
import type { HttpResponse } from '../../../registry/index.ts';
import { BuildError } from '../../error.ts';
import { authorizationFrom, basicAuthorization, type RemoteAccess } from '../secrets.ts';
import { shownUrl } from './shown-url.ts';

export interface DownloadOptions {
  readonly access: RemoteAccess;
  readonly signal?: AbortSignal | undefined;
  /** Told after each piece. */
  readonly onProgress?: ((bytes: number, total: number | undefined) => void) | undefined;
}

/** What tells whether a URL's content is still the one that we know. */
export interface Validators {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

export interface Downloaded extends Validators {
  /** `sha256:…` of the content. */
  readonly digest: string;
  readonly size: number;
}

/** Tries of one download; each answer's own retries are the HTTP client's. */
const attempts = 3;
const epoch = new Date(0);

/**
 * Downloads `url` to the new file `path`, mode 0600, with the time of Last-Modified (1970 where there is none, so that results do not
 * hang on the clock). Undefined where the content is still that of `known`: then nothing is written. A body that is cut off is asked
 * for again.
 * @throws BuildError DOWNLOAD_FAILED
 */
export async function downloadTo(
  path: string,
  url: URL,
  { known, ...options }: DownloadOptions & { readonly known?: Validators | undefined },
): Promise<Downloaded | undefined> {
  const headers = { ...(await authorizationOf(url, options.access)), ...conditions(known) };
  for (let attempt = 1; ; attempt++) {
    const response = await get(url, headers, options.signal);
    if (response.status !== 200) {
      await discard(response);
      if (response.status === 304 && known !== undefined) return undefined;
      throw failed(url, `invalid response status ${response.status}`, { hint: statusHint(url, response.status) });
    }
    try {
      return await write(path, response, options);
    } catch (error) {
      await rm(path, { force: true });
      options.signal?.throwIfAborted();
      if (isDiskFull(error)) throw failed(url, 'no space left on device', { cause: error, hint: 'free some space' });
      if (attempt === attempts) throw failed(url, messageOf(error), { cause: error });
      await pause(250 * 2 ** attempt, undefined, { signal: options.signal });
    }
  }
}

async function get(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  const { fetchUrl } = await import('../../../registry/index.ts');
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  bare.hash = '';
  try {
    return await fetchUrl(bare, { headers, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw failed(url, messageOf(error), { cause: error });
  }
}

async function write(path: string, response: HttpResponse, options: DownloadOptions): Promise<Downloaded> {
  const total = Number(headerOf(response, 'content-length'));
  const sum = createHash('sha256');
  let size = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      sum.update(chunk);
      size += chunk.length;
      await file.writeFile(chunk);
      options.onProgress?.(size, Number.isSafeInteger(total) && total > 0 ? total : undefined);
    }
  } finally {
    await file.close();
  }
  const lastModified = headerOf(response, 'last-modified');
  const time = new Date(lastModified ?? 0);
  const set = Number.isNaN(time.getTime()) ? epoch : time;
  await utimes(path, set, set);
  return { digest: `sha256:${sum.digest('hex')}`, size, ...validatorsOf(response, lastModified) };
}

/**
 * A weak entity tag allows other bytes under the same tag. A time of change proves something only where the answer was given so much
 * later that no second change could hide in it (RFC 9110, 8.8.2.2).
 */
function validatorsOf(response: HttpResponse, lastModified: string | undefined): Validators {
  const etag = headerOf(response, 'etag');
  if (etag !== undefined && /^"[\x21\x23-\x7e\x80-\xff]{1,1024}"$/.test(etag)) return { etag };
  const changed = Date.parse(lastModified ?? '');
  const answered = Date.parse(headerOf(response, 'date') ?? '');
  return answered - changed >= 60_000 ? { lastModified } : {};
}

function conditions({ etag, lastModified }: Validators = {}): Readonly<Record<string, string>> {
  if (etag !== undefined) return { 'if-none-match': etag };
  return lastModified === undefined ? {} : { 'if-modified-since': lastModified };
}

/** Secrets are named after the host as BuildKit does; user info of the URL counts where there is none. */
async function authorizationOf(url: URL, access: RemoteAccess): Promise<Readonly<Record<string, string>>> {
  const found = await authorizationFrom(
    [
      { id: `HTTP_AUTH_TOKEN_${url.hostname}`, header: (token) => `Bearer ${token}` },
      { id: `HTTP_AUTH_HEADER_${url.hostname}`, header: (value) => value },
    ],
    access,
  );
  if (found !== undefined) return { authorization: found };
  if (url.username === '' && url.password === '') return {};
  return { authorization: basicAuthorization(url.username, url.password) };
}

async function discard(response: HttpResponse): Promise<void> {
  const { discardBody } = await import('../../../registry/index.ts');
  await discardBody(response);
}

function headerOf(response: HttpResponse, name: string): string | undefined {
  const value = response.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function statusHint(url: URL, status: number): string | undefined {
  if (status !== 401 && status !== 403) return undefined;
  return `give a token with --secret id=HTTP_AUTH_TOKEN_${url.hostname}`;
}

function failed(
  url: URL,
  why: string,
  options: { readonly hint?: string | undefined; readonly cause?: unknown },
): BuildError {
  return new BuildError('DOWNLOAD_FAILED', `cannot download ${shownUrl(url)}: ${why}`, options);
}
