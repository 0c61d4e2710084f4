import { createHash } from 'node:crypto';
import { type CallOptions, isObject } from '../../../oci/index.ts';
import { redactText } from '../../../system/index.ts';
import { BuildError } from '../../error.ts';
import { readAll, send } from './http.ts';

const path = '/twirp/github.actions.results.api.v1.CacheService/';
/** Larger answers are none of this service. */
const maxAnswer = 64 * 1024;
const longestMessage = 300;

/** Entries of one program are not found by another: its version is a hash of what it likes. */
export const ownVersion = versionOf('slipway cache 1');
/** The version under which BuildKit's entries are kept. */
export const buildKitVersion = versionOf('|go-actionscache-1.0');

function versionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export interface FoundEntry {
  readonly key: string;
  readonly url: string;
}

/**
 * GitHub's cache service, version 2: JSON over Twirp. Entries never change; a lookup by prefix gives the newest. Bytes go to and
 * come from the storage that signed URLs name.
 */
export class CacheService {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url.replace(/\/+$/, '');
    this.#token = token;
  }

  /** The newest entry whose key begins so. */
  async find(prefix: string, version: string, options: CallOptions): Promise<FoundEntry | undefined> {
    const answer = await this.#call(
      'GetCacheEntryDownloadURL',
      { key: prefix, restore_keys: [prefix], version },
      options,
    );
    const { ok, signed_download_url: url, matched_key: key } = answer;
    if (ok !== true || typeof url !== 'string' || typeof key !== 'string' || !key.startsWith(prefix)) return undefined;
    return { key, url };
  }

  /** Where to send an entry's bytes; undefined: there is one of this key. */
  async create(key: string, options: CallOptions): Promise<string | undefined> {
    const answer = await this.#call('CreateCacheEntry', { key, version: ownVersion }, options);
    if (answer['code'] === 'already_exists') return undefined;
    const url = answer['signed_upload_url'];
    if (answer['ok'] === true && typeof url === 'string') return url;
    throw new BuildError('CACHE_UNAVAILABLE', `the cache service does not take ${key}${this.#messageIn(answer)}`);
  }

  /** Makes an entry visible. */
  async finish(key: string, size: number, options: CallOptions): Promise<void> {
    const body = { key, size_bytes: String(size), version: ownVersion };
    const answer = await this.#call('FinalizeCacheEntryUpload', body, options);
    if (answer['ok'] !== true)
      throw new BuildError('CACHE_UNAVAILABLE', `the cache service did not keep ${key}${this.#messageIn(answer)}`);
  }

  async #call(method: string, body: object, { signal }: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    const response = await send(`${this.#url}${path}${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
      signal,
    });
    const bytes = await readAll(response.body, maxAnswer);
    const answer = parseAnswer(bytes);
    if (response.status === 200 || answer['code'] === 'already_exists') return answer;
    throw new BuildError(
      'CACHE_UNAVAILABLE',
      `the cache service answered ${method} with ${response.status}${this.#messageIn(answer)}`,
      { hint: response.status === 401 ? 'ACTIONS_RUNTIME_TOKEN is valid during its job only' : undefined },
    );
  }

  /** Twirp's and the service's own explanations: whoever answers may repeat what it was sent. */
  #messageIn(answer: Readonly<Record<string, unknown>>): string {
    const text = answer['msg'] ?? answer['message'];
    if (typeof text !== 'string' || text === '') return '';
    return `: ${redactText(text, [this.#token]).slice(0, longestMessage)}`;
  }
}

function parseAnswer(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
