import { Readable } from 'node:stream';
import type { Verifier } from '../../oci/index.ts';
import { RegistryError } from '../error.ts';
import { backoff } from '../http/backoff.ts';
import { abandon } from '../http/body.ts';
import { asRegistryError, isTransientError } from '../http/network-error.ts';
import type { Source } from '../http/dispatch.ts';
import { codeOf } from '../record.ts';
import type { BlobRequest, OpenRange, Range } from './blob-request.ts';
import { isDecodingError } from './content-encoding.ts';

/** How often one part is continued in all, however much each connection brought: a byte at a time would never end. */
const mostConnections = 1000;
/** Bytes taken ahead of whoever reads. */
export const readAhead = 512 * 1024;

export interface RangeStreamOptions {
  readonly range: Range;
  readonly opened: OpenRange;
  /** Of the whole blob, where this is all of it. */
  readonly verifier?: Verifier | undefined;
  readonly highWaterMark?: number;
}

/**
 * A part of a blob. A connection that breaks, stands still or ends too early is continued by Range where it stopped; where
 * a server ignores Range, what we have is skipped.
 */
export class RangeStream extends Readable {
  readonly #request: BlobRequest;
  readonly #end: number;
  readonly #verifier: Verifier | undefined;
  /** Position of the next byte we pass on. */
  #at: number;
  /** Where the current connection began to give something new. */
  #began: number;
  #failures = 0;
  #connections = 0;
  #body: Readable | undefined;
  /** Bytes of the current body that we passed on earlier. */
  #skip = 0;
  /** The mirror that the current body comes from. */
  #source: Source | undefined;

  constructor(request: BlobRequest, options: RangeStreamOptions) {
    super({ highWaterMark: options.highWaterMark ?? readAhead });
    this.#request = request;
    this.#at = options.range.start;
    this.#began = this.#at;
    this.#end = options.range.end;
    this.#verifier = options.verifier;
    this.#attach(options.opened);
  }

  override _read(): void {
    this.#body?.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#letGo();
    callback(error);
  }

  #attach({ body, skip, source }: OpenRange): void {
    this.#body = body;
    this.#source = source;
    this.#skip = skip;
    this.#began = this.#at;
    const isCurrent = (): boolean => this.#body === body && !this.destroyed;
    body.on('data', (chunk: Buffer) => isCurrent() && this.#take(chunk));
    body.once('end', () => isCurrent() && this.#onEnd());
    body.on('error', (error) => isCurrent() && this.#onBreak(error));
    // a body that is closed without a word
    body.once('close', () => isCurrent() && this.#onBreak(this.#closedEarly()));
    // the first read() of ours starts it
    body.pause();
  }

  #letGo(): void {
    const body = this.#body;
    this.#body = undefined;
    if (body !== undefined) abandon(body);
  }

  #take(bytes: Buffer): void {
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    const room = this.#end - this.#at;
    const chunk = skipped === 0 && bytes.length <= room ? bytes : bytes.subarray(skipped, skipped + room);
    if (bytes.length - skipped > room && this.#end === this.#request.descriptor.size) {
      this.#request.blame();
      this.#fail(this.#request.wrongSize('more than'));
      return;
    }
    if (chunk.length === 0) return;
    this.#at += chunk.length;
    try {
      this.#verifier?.update(chunk);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (!this.push(chunk)) this.#body?.pause();
    // the rest is for others; where this is the end of the blob, more would be an error to be seen
    if (this.#at === this.#end && this.#end < this.#request.descriptor.size) this.#finish();
  }

  #onEnd(): void {
    if (this.#at === this.#end) return this.#finish();
    // ended in order but too early: another request shows whether there is more
    if (this.#source === undefined && this.#at === this.#began && this.#failures > 0)
      return this.#fail(this.#request.wrongSize('not'));
    void this.#continue(this.#request.wrongSize('not'));
  }

  #onBreak(error: unknown): void {
    const { signal } = this.#request;
    if (signal?.aborted === true) return this.#fail(signal.reason);
    // all bytes came, only the end of the message did not
    if (this.#at === this.#end) return this.#finish();
    const isLabel = isDecodingError(error) && this.#at === 0 && this.#request.doubtLabel();
    if (!isLabel && !isTransientError(error) && this.#source === undefined) return this.#fail(error);
    void this.#continue(error);
  }

  async #continue(error: unknown): Promise<void> {
    const { connection, signal } = this.#request;
    this.#letGo();
    if (this.#source !== undefined) return this.#elsewhere(this.#source, error);
    this.#connections += 1;
    // a connection that brought something does not count as a failed try
    this.#failures = this.#at > this.#began ? 1 : this.#failures + 1;
    if (this.#failures >= connection.policy.attempts || this.#connections >= mostConnections) return this.#fail(error);
    try {
      await connection.clock.sleep(backoff(this.#failures, connection.clock, connection.policy), signal);
    } catch (failure) {
      return this.#fail(failure);
    }
    await this.#reopen();
  }

  /** A mirror that broke off is passed over, and whoever is next goes on at once. */
  async #elsewhere(source: Source, error: unknown): Promise<void> {
    if (isTransientError(error)) source.failed();
    else source.lied(this.#request.descriptor.digest);
    await this.#reopen();
  }

  async #reopen(): Promise<void> {
    try {
      const opened = await this.#request.open({ start: this.#at, end: this.#end });
      if (this.destroyed) return abandon(opened.body);
      this.#attach(opened);
      opened.body.resume();
    } catch (failure) {
      this.#fail(failure);
    }
  }

  #finish(): void {
    const body = this.#body;
    this.#body = undefined;
    if (body !== undefined && !body.readableEnded) abandon(body);
    try {
      this.#verifier?.finish();
      this.push(null);
    } catch (error) {
      this.#request.blame();
      this.#fail(error);
    }
  }

  #closedEarly(): RegistryError {
    return new RegistryError('NETWORK', `${this.#request.connection.host} closed the connection early`);
  }

  #fail(error: unknown): void {
    // whoever fetches it again gets the bytes as they are
    if (isDecodingError(error) || isMismatch(error)) this.#request.doubtLabel();
    this.destroy(asRegistryError(error, this.#request.connection.host) as Error);
  }
}

function isMismatch(error: unknown): boolean {
  return codeOf(error) === 'DIGEST_MISMATCH' || codeOf(error) === 'SIZE_MISMATCH';
}
