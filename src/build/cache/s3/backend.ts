import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { messageOf } from '../../../errors.ts';
import type { CallOptions, FetchOptions } from '../../../oci/index.ts';
import { redactText } from '../../../system/index.ts';
import { BuildError } from '../../error.ts';
import { type CacheBackend, portions, readSmall, type WriteOptions } from '../backend.ts';
import type { S3Place } from '../request.ts';

/** S3 takes parts of 5 MiB to 5 GiB, at most 10,000 of them; each is in memory, so that it can be sent again. */
const smallestPart = 16 * 1024 * 1024;
const mostParts = 9_000;
const attempts = 5;
const longestMessage = 300;

/** What of a place says where objects are. */
export type S3Bucket = Pick<S3Place, 'bucket' | 'region' | 'prefix' | 'endpoint' | 'pathStyle'>;

/** A bucket as a backend: `PREFIXslipway/blobs/DIGEST` and `PREFIXslipway/names/NAME`. Credentials come from AWS's usual places. */
export class S3Backend implements CacheBackend, Disposable {
  readonly label: string;
  readonly #client: S3Client;
  readonly #bucket: S3Bucket;

  constructor(bucket: S3Bucket) {
    this.label = `s3://${bucket.bucket}/${bucket.prefix}`;
    this.#bucket = bucket;
    this.#client = new S3Client({
      region: bucket.region,
      forcePathStyle: bucket.pathStyle,
      maxAttempts: attempts,
      // Digests are ours; servers other than Amazon's know few of the checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(bucket.endpoint === undefined ? {} : { endpoint: bucket.endpoint }),
    });
  }

  read(name: string, options: FetchOptions): Promise<Readable | undefined> {
    return this.#get(`slipway/blobs/${name}`, options);
  }

  has(name: string, options: CallOptions): Promise<boolean> {
    return this.#head(`slipway/blobs/${name}`, options);
  }

  async writeIfAbsent(name: string, content: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<void> {
    const partSize = Math.max(smallestPart, Math.ceil(options.size / mostParts));
    const key = this.#key(`slipway/blobs/${name}`);
    const parts = portions(content, partSize);
    if (options.size > partSize) return this.#inParts(key, parts, options);
    for await (const whole of parts) await this.#put(key, whole, options);
  }

  async readLatest(name: string, options: CallOptions): Promise<Uint8Array | undefined> {
    const content = await this.#get(`slipway/names/${encodeURIComponent(name)}`, options);
    return content === undefined ? undefined : readSmall(content, this.label);
  }

  writeLatest(name: string, bytes: Uint8Array, options: CallOptions): Promise<void> {
    return this.#put(this.#key(`slipway/names/${encodeURIComponent(name)}`), bytes, options);
  }

  /** Where BuildKit keeps what a name stands for. */
  hasForeign(name: string, options: CallOptions): Promise<boolean> {
    return this.#head(`manifests/${name}`, options);
  }

  [Symbol.dispose](): void {
    this.#client.destroy();
  }

  #key(name: string): string {
    return `${this.#bucket.prefix}${name}`;
  }

  async #get(name: string, { offset = 0, signal }: FetchOptions): Promise<Readable | undefined> {
    const range = offset === 0 ? {} : { Range: `bytes=${offset}-` };
    const command = new GetObjectCommand({ Bucket: this.#bucket.bucket, Key: this.#key(name), ...range });
    try {
      const { Body: body } = await this.#client.send(command, sendOptions(signal));
      if (body instanceof Readable) return body;
      throw new Error('the answer has no body');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw await this.#failure('read', name, error);
    }
  }

  async #head(name: string, { signal }: CallOptions): Promise<boolean> {
    const command = new HeadObjectCommand({ Bucket: this.#bucket.bucket, Key: this.#key(name) });
    try {
      await this.#client.send(command, sendOptions(signal));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw await this.#failure('look for', name, error);
    }
  }

  async #put(key: string, body: Uint8Array, { signal }: CallOptions): Promise<void> {
    const command = new PutObjectCommand({ Bucket: this.#bucket.bucket, Key: key, Body: body });
    await this.#client.send(command, sendOptions(signal)).catch(async (error: unknown) => {
      throw await this.#failure('write', key, error);
    });
  }

  /** Nothing is visible before the last request; what was sent of a failed upload is given up. */
  async #inParts(key: string, parts: AsyncIterable<Buffer>, { signal }: CallOptions): Promise<void> {
    const place = { Bucket: this.#bucket.bucket, Key: key };
    const begun = await this.#step(key, () =>
      this.#client.send(new CreateMultipartUploadCommand(place), sendOptions(signal)),
    );
    const upload = { ...place, UploadId: begun.UploadId };
    try {
      const sent: CompletedPart[] = [];
      for await (const part of parts) {
        const number = sent.length + 1;
        const command = new UploadPartCommand({ ...upload, PartNumber: number, Body: part });
        const { ETag: tag } = await this.#step(key, () => this.#client.send(command, sendOptions(signal)));
        sent.push({ PartNumber: number, ETag: tag });
      }
      const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: sent } });
      await this.#step(key, () => this.#client.send(complete, sendOptions(signal)));
    } catch (error) {
      await this.#client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined); // the bucket's rules clear it away
      throw error;
    }
  }

  async #step<T>(key: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw await this.#failure('write', key, error);
    }
  }

  async #failure(verb: string, name: string, error: unknown): Promise<unknown> {
    if (error instanceof Error && error.name === 'AbortError') return error;
    const kind = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
    const why = (await this.#safe(kind + messageOf(error))).slice(0, longestMessage);
    // Without its cause, which has the server's words too.
    return new BuildError('CACHE_UNAVAILABLE', `cannot ${verb} ${name} in ${this.label}: ${why}`, {
      hint:
        error instanceof Error && error.name === 'CredentialsProviderError'
          ? 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE'
          : undefined,
    });
  }

  /** Whoever answers may repeat what it was sent. */
  async #safe(text: string): Promise<string> {
    const credentials = await this.#client.config.credentials().catch(() => undefined);
    const { sessionToken = '', secretAccessKey = '' } = credentials ?? {};
    return redactText(text, [sessionToken, secretAccessKey]).replace(/\bSignature=\w+/g, 'Signature=***');
  }
}

function sendOptions(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

function isMissing(error: unknown): boolean {
  const status = (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return status === 404;
}
