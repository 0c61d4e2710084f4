import type { Readable } from 'node:stream';
import { type Descriptor, OciError } from '../../oci/index.ts';
import { RegistryError } from '../error.ts';
import { abandon, discard } from '../http/body.ts';
import { header, type HttpResponse, type Source } from '../http/dispatch.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { call, nameOf, type RepositoryConnection } from './connection.ts';
import { decoded, isEncoded, isKnownEncoding } from './content-encoding.ts';
import { notFound } from './manifests.ts';

/** Bytes of a blob: from `start` to before `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The answer to a request for a part: `skip` bytes of it come before the part. */
export interface OpenRange {
  readonly body: Readable;
  readonly skip: number;
  /** The mirror that it comes from; undefined for the registry itself. */
  readonly source?: Source | undefined;
}

/** Asks a registry for parts of one blob, and remembers whether it knows Range. */
export class BlobRequest {
  readonly connection: RepositoryConnection;
  readonly descriptor: Descriptor;
  readonly signal: AbortSignal | undefined;
  #withRange = true;
  readonly #sources = new Set<Source>();
  #isDecoded = false;

  constructor(connection: RepositoryConnection, descriptor: Descriptor, signal: AbortSignal | undefined) {
    this.connection = connection;
    this.descriptor = descriptor;
    this.signal = signal;
  }

  /** False once the registry, or a proxy before it, gave the whole for a part. */
  get knowsRange(): boolean {
    return this.#withRange;
  }

  /** @throws OciError NOT_FOUND, SIZE_MISMATCH; RegistryError */
  async open(range: Range): Promise<OpenRange> {
    const asked = this.#headerFor(range);
    const response = await this.#send(asked);
    if (response.source !== undefined && this.#isOfNoUse(response, asked)) {
      // an answer that no registry gives: whoever is next is asked
      abandon(response.body);
      response.source.lied(this.descriptor.digest);
      return this.open(range);
    }
    if (response.status === 200) {
      if (asked !== undefined) this.#withRange = false;
      this.#use(response.source);
      const from = { skip: range.start, source: response.source };
      if (this.#isMislabelled || !isEncoded(response, this.descriptor.size)) return { body: response.body, ...from };
      this.#withRange = false;
      this.#isDecoded = true;
      return { body: decoded(response, this.descriptor.size), ...from };
    }
    if (response.status === 206 && asked !== undefined) {
      if (this.#isPart(response, range)) {
        this.#use(response.source);
        return { body: response.body, skip: 0, source: response.source };
      }
      // the wrong part: once more, all of it
      abandon(response.body);
      this.#withRange = false;
      return this.open(range);
    }
    throw await this.#refusal(response);
  }

  #isOfNoUse(response: HttpResponse, asked: string | undefined): boolean {
    if (response.status !== 200) return response.status !== 206 || asked === undefined;
    return !this.#isMislabelled && isEncoded(response, this.descriptor.size) && !isKnownEncoding(response);
  }

  /** What came was not the blob: whichever mirror gave a part of it is not asked for it again. */
  blame(): void {
    for (const source of this.#sources) source.lied(this.descriptor.digest);
  }

  #use(source: Source | undefined): void {
    if (source !== undefined) this.#sources.add(source);
  }

  get #isMislabelled(): boolean {
    return this.connection.mislabelled.has(this.descriptor.digest);
  }

  /**
   * After decoded bytes were not what they should be: the label may be wrong and the body be plain, so that the next answers
   * are taken as they are. False where that is known not to be the reason.
   */
  doubtLabel(): boolean {
    if (!this.#isDecoded || this.#isMislabelled) return false;
    this.connection.mislabelled.add(this.descriptor.digest);
    return true;
  }

  #headerFor({ start, end }: Range): string | undefined {
    if (!this.#withRange || (start === 0 && end === this.descriptor.size)) return undefined;
    return `bytes=${start}-${end === this.descriptor.size ? '' : end - 1}`;
  }

  #send(range: string | undefined): Promise<HttpResponse> {
    const path = `blobs/${this.descriptor.digest}`;
    const headers = range === undefined ? {} : { range };
    return call(this.connection, { method: 'GET', path, headers, signal: this.signal });
  }

  /** Whether an answer begins where we asked, of a blob as long as ours; one that ends earlier is continued. */
  #isPart(response: HttpResponse, { start, end }: Range): boolean {
    const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/.exec(header(response, 'content-range') ?? '');
    if (match === null || header(response, 'content-encoding') !== undefined) return false;
    const total = match[3] === '*' || Number(match[3]) === this.descriptor.size;
    return Number(match[1]) === start && Number(match[2]) < end && total;
  }

  wrongSize(word: string): OciError {
    const { digest, size } = this.descriptor;
    return new OciError('SIZE_MISMATCH', `${this.connection.host} sends ${word} the ${size} bytes of ${digest}`);
  }

  async #refusal(response: HttpResponse): Promise<Error> {
    const { connection } = this;
    const { digest } = this.descriptor;
    if (response.status === 416) {
      await discard(response);
      return this.wrongSize('not');
    }
    if (response.status === 206) {
      abandon(response.body);
      return new RegistryError('BAD_RESPONSE', `${connection.host} answers with a part nobody asked for`);
    }
    const action = `pull ${nameOf(connection, digest)}`;
    const error = await errorFromResponse(response, { action, host: connection.host });
    return response.status === 404 ? notFound(connection, digest, error) : error;
  }
}
