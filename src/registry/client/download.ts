import { Readable } from 'node:stream';
import { type Descriptor, type FetchOptions, OciError, Verifier } from '../../oci/index.ts';
import { backoff, defaultAttempts } from '../http/backoff.ts';
import { abandon, discard } from '../http/body.ts';
import { header, type HttpResponse } from '../http/dispatch.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { asRegistryError, isTransientError } from '../http/network-error.ts';
import { RegistryError } from '../error.ts';
import { call, nameOf, type RepositoryConnection } from './connection.ts';
import { decoded, isEncoded } from './content-encoding.ts';
import { notFound } from './manifests.ts';

/** A connection that carried this much before it broke does not count as a failed try; bytes. */
const worthwhile = 64 * 1024;

/**
 * Streams a blob, verified against its descriptor while it passes. A connection that breaks or stands still is
 * continued by Range where it stopped; where a server ignores Range, what we have is skipped. The whole is hashed once,
 * across all connections.
 * @throws OciError NOT_FOUND; the stream: DIGEST_MISMATCH, SIZE_MISMATCH
 */
export async function fetchBlob(
  connection: RepositoryConnection,
  descriptor: Descriptor,
  options: FetchOptions = {},
): Promise<Readable> {
  const download = new Download(connection, descriptor, options);
  await download.open();
  const stream = Readable.from(download.chunks(), { objectMode: false, highWaterMark: worthwhile });
  // a stream that is destroyed before it was read never enters the generator
  stream.once('close', () => download.close());
  return stream;
}

type Step = { readonly chunk: Buffer } | { readonly end: true } | { readonly error: unknown };

class Download {
  readonly #connection: RepositoryConnection;
  readonly #descriptor: Descriptor;
  readonly #signal: AbortSignal | undefined;
  readonly #verifier: Verifier | undefined;
  /** Position of the next byte we pass on. */
  #at: number;
  #body: Readable | undefined;
  /** Bytes of the current body that we passed on earlier. */
  #skip = 0;
  #withRange = true;

  constructor(connection: RepositoryConnection, descriptor: Descriptor, options: FetchOptions) {
    this.#connection = connection;
    this.#descriptor = descriptor;
    this.#signal = options.signal;
    this.#at = options.offset ?? 0;
    this.#verifier = this.#at === 0 ? new Verifier(descriptor) : undefined;
  }

  close(): void {
    if (this.#body !== undefined) abandon(this.#body);
  }

  /** Asks for the blob from the current position on. */
  async open(): Promise<void> {
    const response = await this.#request();
    const fits = response.status === 200 || (response.status === 206 && this.#startsHere(response));
    if (response.status === 206 && !fits && this.#withRange) {
      // the wrong part: once more, from the start
      abandon(response.body);
      this.#withRange = false;
      return this.open();
    }
    if (!fits) throw await this.#refusal(response);
    this.#skip = response.status === 200 ? this.#at : 0;
    if (isEncoded(response, this.#descriptor.size)) this.#withRange = false;
    this.#body = decoded(response, this.#descriptor.size);
  }

  async *chunks(): AsyncGenerator<Buffer> {
    let failures = 0;
    let start = this.#at;
    let iterator = this.#iterate();
    for (;;) {
      const step = await this.#next(iterator);
      if ('chunk' in step) {
        yield step.chunk;
        continue;
      }
      if ('end' in step) return this.#finish();
      this.#signal?.throwIfAborted();
      if (!isTransientError(step.error)) throw asRegistryError(step.error, this.#connection.host);
      // all bytes came, only the end of the message did not
      if (this.#at === this.#descriptor.size) return this.#finish();
      failures = this.#at - start >= worthwhile ? 1 : failures + 1;
      if (failures >= defaultAttempts) throw asRegistryError(step.error, this.#connection.host);
      start = this.#at;
      iterator = await this.#reopen(failures);
    }
  }

  async #reopen(failures: number): Promise<AsyncIterator<Buffer>> {
    await this.#connection.clock.sleep(backoff(failures, this.#connection.clock), this.#signal);
    await this.open();
    return this.#iterate();
  }

  #iterate(): AsyncIterator<Buffer> {
    if (this.#body === undefined) throw new Error('a download is read before it is opened');
    this.#body.on('error', () => {});
    return this.#body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The next bytes that are new; what comes out of the source as an error is kept apart from errors of our reader. */
  async #next(iterator: AsyncIterator<Buffer>): Promise<Step> {
    for (;;) {
      let result: IteratorResult<Buffer>;
      try {
        result = await iterator.next();
      } catch (error) {
        return { error };
      }
      if (result.done) return { end: true };
      const chunk = result.value.subarray(Math.min(this.#skip, result.value.length));
      this.#skip -= result.value.length - chunk.length;
      if (chunk.length === 0) continue;
      this.#at += chunk.length;
      this.#verifier?.update(chunk);
      if (this.#at > this.#descriptor.size) throw this.#wrongSize('more than');
      return { chunk };
    }
  }

  #finish(): void {
    this.#verifier?.finish();
    if (this.#at !== this.#descriptor.size) throw this.#wrongSize('not');
  }

  #wrongSize(word: string): OciError {
    const { digest, size } = this.#descriptor;
    return new OciError('SIZE_MISMATCH', `${this.#connection.host} sends ${word} the ${size} bytes of ${digest}`);
  }

  #request(): Promise<HttpResponse> {
    const range = this.#withRange && this.#at > 0 ? { range: `bytes=${this.#at}-` } : {};
    const path = `blobs/${this.#descriptor.digest}`;
    return call(this.#connection, { method: 'GET', path, headers: range, signal: this.#signal });
  }

  #startsHere(response: HttpResponse): boolean {
    const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header(response, 'content-range') ?? '');
    if (match === null || !this.#withRange || header(response, 'content-encoding') !== undefined) return false;
    return Number(match[1]) === this.#at && (match[2] === '*' || Number(match[2]) === this.#descriptor.size);
  }

  async #refusal(response: HttpResponse): Promise<Error> {
    const { digest } = this.#descriptor;
    if (response.status === 416) {
      await discard(response);
      return this.#wrongSize('not');
    }
    if (response.status === 206) {
      abandon(response.body);
      return new RegistryError('BAD_RESPONSE', `${this.#connection.host} answers with a part nobody asked for`);
    }
    const action = `pull ${nameOf(this.#connection, digest)}`;
    const error = await errorFromResponse(response, { action, host: this.#connection.host });
    return response.status === 404 ? notFound(this.#connection, digest, error) : error;
  }
}
