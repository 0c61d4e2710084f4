import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { CallOptions, FetchOptions } from '../../../oci/index.ts';
import { BuildError } from '../../error.ts';
import { type CacheBackend, portions, readSmall, type WriteOptions } from '../backend.ts';
import { blockSize, putBlockBlob } from './block-blob.ts';
import { send } from './http.ts';
import { buildKitVersion, type CacheService, ownVersion } from './service.ts';

/** Of this form of entries. */
const form = '1';

/** GitHub's cache service as a backend: an entry for each blob, and one more each time a name comes to stand for something else. */
export class GhaBackend implements CacheBackend {
  readonly label = "GitHub's cache service";
  readonly #service: CacheService;

  constructor(service: CacheService) {
    this.#service = service;
  }

  async read(name: string, options: FetchOptions): Promise<Readable | undefined> {
    const entry = await this.#exactly(blobKey(name), options);
    return entry && this.#download(entry.url, options);
  }

  async has(name: string, options: CallOptions): Promise<boolean> {
    return (await this.#exactly(blobKey(name), options)) !== undefined;
  }

  writeIfAbsent(name: string, content: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<void> {
    return this.#write(blobKey(name), content, options);
  }

  async readLatest(name: string, options: CallOptions): Promise<Uint8Array | undefined> {
    const entry = await this.#service.find(nameKey(name), ownVersion, options);
    return entry && readSmall(await this.#download(entry.url, options), this.label);
  }

  /** Keys that begin alike are one name; the newest counts. */
  async writeLatest(name: string, bytes: Uint8Array, options: CallOptions): Promise<void> {
    const key = `${nameKey(name)}${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
    await this.#write(key, once(bytes), { ...options, size: bytes.byteLength });
  }

  async hasForeign(name: string, options: CallOptions): Promise<boolean> {
    return (await this.#service.find(`index-${name}-1-`, buildKitVersion, options)) !== undefined;
  }

  /** A lookup of a whole key may also give a longer one. */
  async #exactly(key: string, options: CallOptions): Promise<{ readonly url: string } | undefined> {
    const entry = await this.#service.find(key, ownVersion, options);
    return entry?.key === key ? entry : undefined;
  }

  async #write(key: string, content: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<void> {
    const blocks = portions(content, blockSize);
    // Before the entry is made: one that is never finished keeps its key from others.
    const first = await blocks.next();
    const url = await this.#service.create(key, options);
    if (url === undefined || first.done === true) return;
    const size = await putBlockBlob(url, withFirst(first.value, blocks), options);
    await this.#service.finish(key, size, options);
  }

  async #download(url: string, { offset = 0, signal }: FetchOptions): Promise<Readable> {
    const headers = offset === 0 ? {} : { 'x-ms-range': `bytes=${offset}-` };
    const answer = await send(url, { method: 'GET', headers, signal });
    if (answer.status === (offset === 0 ? 200 : 206)) return answer.body;
    answer.body.destroy();
    throw new BuildError('CACHE_UNAVAILABLE', `the cache's storage answered ${answer.status}`);
  }
}

function blobKey(digest: string): string {
  return `slipway-blob-${form}-${digest}`;
}

/** No name's keys begin with another name: what stands between is in neither. Commas mean something to the service. */
function nameKey(name: string): string {
  return `slipway-index-${form}-${encodeURIComponent(name)}#`;
}

async function* withFirst(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
