import { addAbortSignal, type Readable } from 'node:stream';
import { type Descriptor, type PushFromOptions, Verifier } from '../../oci/index.ts';
import { RegistryError } from '../error.ts';
import { discard } from '../http/body.ts';
import type { HttpResponse } from '../http/dispatch.ts';
import { ChunkReader } from './chunk-reader.ts';
import { call, type RepositoryConnection } from './connection.ts';
import { sourceOf } from './content-source.ts';
import { pushContent } from './upload-content.ts';
import {
  blobIsThere,
  errorOf,
  isAccepted,
  isStored,
  mayPass,
  mostRecoveries,
  type Outcome,
  outcomeOf,
  pauseAfter,
  tooSlow,
} from './upload-outcome.ts';
import {
  cancelUpload,
  commitUrl,
  locationOf,
  receivedBytes,
  type SessionCall,
  startUpload,
  type UploadSession,
  uploadStatus,
} from './upload-session.ts';

/** Bytes kept in memory so that they can be sent again; within ECR's 5 to 10 MiB. */
const chunkSize = 8 * 1024 * 1024;
/** A registry that wants larger chunks than this is refused rather than given the memory. */
const largestChunk = 128 * 1024 * 1024;

export interface StreamToPush {
  readonly descriptor: Descriptor;
  readonly content: Readable;
  /** An upload that the registry has opened for it already. */
  readonly session?: UploadSession | undefined;
}

/**
 * Stores a blob that comes as a stream, which cannot be read again: in chunks, each kept until the registry has it, so that a broken
 * connection is continued from where the registry says it stopped. One that fits a chunk goes out in a single PUT.
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH; RegistryError; the stream's own error
 */
export async function pushStream(
  connection: RepositoryConnection,
  { descriptor, content, session }: StreamToPush,
  options: PushFromOptions,
): Promise<void> {
  const { signal } = options;
  if (signal !== undefined) addAbortSignal(signal, content);
  const verifier = new Verifier(descriptor);
  const reader = new ChunkReader(content, descriptor.size, (bytes) => verifier.update(bytes));
  try {
    const first = await reader.read(chunkSize);
    if (!reader.ended && first.length >= chunkSize) {
      return await new ChunkedUpload(connection, { descriptor, session }, signal).send(first, reader, verifier);
    }
    verifier.finish();
    await pushContent(connection, { descriptor, source: sourceOf(first), session }, options);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    content.destroy();
  }
}

class ChunkedUpload {
  readonly #connection: RepositoryConnection;
  readonly #descriptor: Descriptor;
  readonly #signal: AbortSignal | undefined;
  readonly #opened: UploadSession | undefined;
  #recoveries = 0;

  constructor(
    connection: RepositoryConnection,
    { descriptor, session }: Omit<StreamToPush, 'content'>,
    signal: AbortSignal | undefined,
  ) {
    this.#connection = connection;
    this.#descriptor = descriptor;
    this.#opened = session;
    this.#signal = signal;
  }

  /** POST, PATCH by PATCH, then an empty PUT. The next chunk is read while one is sent: two portions of memory serve. */
  async send(first: Buffer, reader: ChunkReader, verifier: Verifier): Promise<void> {
    let session = this.#opened ?? (await this.#start());
    try {
      const size = Math.max(chunkSize, session.minimumChunk);
      if (size > largestChunk) {
        throw new RegistryError('UNSUPPORTED', `${this.#connection.host} wants chunks of ${size} bytes at least`);
      }
      let chunk = first.length < size ? Buffer.concat([first, await reader.read(size - first.length)]) : first;
      let used: Buffer | undefined;
      for (let at = 0; chunk.length > 0; ) {
        const next = reader.read(size, used);
        // told when it is awaited below, whatever happens to the request before
        next.catch(() => {});
        session = await this.#sendChunk(session, chunk, at);
        at += chunk.length;
        used = chunk;
        chunk = await next;
      }
      verifier.finish();
      await this.#commit(session.location);
    } catch (error) {
      await cancelUpload(this.#connection, session.location);
      throw error;
    }
  }

  /** One chunk, `start` being its place in the blob; continued where the registry stopped, as often as that helps. */
  async #sendChunk(session: UploadSession, chunk: Buffer, start: number): Promise<UploadSession> {
    const end = start + chunk.length;
    let current = session;
    let at = start;
    let furthest = start;
    for (let attempt = 1; ; attempt++) {
      const rest = chunk.subarray(at - start);
      const outcome = await outcomeOf(() => this.#patch(current.location, rest, at));
      if ('response' in outcome && isAccepted(outcome.response)) {
        await discard(outcome.response);
        current = { ...current, location: locationOf(outcome.response, current.location) };
        const received = receivedBytes(outcome.response) ?? end;
        if (received >= end || received <= at) return current;
        if ((this.#recoveries += 1) >= mostRecoveries) throw tooSlow(this.#connection.host);
        at = received;
        furthest = Math.max(furthest, at);
        attempt = 0;
        continue;
      }
      const isOver = attempt >= this.#connection.policy.attempts || (this.#recoveries += 1) >= mostRecoveries;
      if (isOver || !mayPass(outcome)) throw await this.#errorOf(outcome);
      await pauseAfter(this.#call, outcome, attempt);
      const place = await this.#findPlace(current, { start, end });
      // what goes back and forth is no progress
      if (place.at > furthest) attempt = 0;
      furthest = Math.max(furthest, place.at);
      ({ session: current, at } = place);
      if (at === end) return current;
    }
  }

  /** Where to go on after something broke; a new session if nothing but the chunk at hand was sent in the old one. */
  async #findPlace(
    session: UploadSession,
    { start, end }: { readonly start: number; readonly end: number },
  ): Promise<{ readonly session: UploadSession; readonly at: number }> {
    const status = await uploadStatus(this.#call, session.location);
    if (status !== undefined && status.received >= start && status.received <= end) {
      return { session: { ...session, location: status.location }, at: status.received };
    }
    if (start === 0) {
      await cancelUpload(this.#connection, session.location);
      return { session: await this.#start(), at: 0 };
    }
    throw new RegistryError('UPLOAD_LOST', `${this.#connection.host} lost the upload of ${this.#descriptor.digest}`, {
      hint: 'Push again: what is complete is not sent twice.',
    });
  }

  #start(): Promise<UploadSession> {
    return startUpload(this.#call, this.#descriptor.digest);
  }

  get #call(): SessionCall {
    return { connection: this.#connection, signal: this.#signal };
  }

  #patch(location: URL, body: Buffer, start: number): Promise<HttpResponse> {
    return call(this.#connection, {
      method: 'PATCH',
      path: location,
      headers: {
        'content-type': 'application/octet-stream',
        'content-range': `${start}-${start + body.length - 1}`,
      },
      body,
      actions: ['push'],
      attempts: 1,
      signal: this.#signal,
    });
  }

  async #commit(location: URL): Promise<void> {
    const response = await call(this.#connection, {
      method: 'PUT',
      path: commitUrl(location, this.#descriptor.digest),
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array(),
      actions: ['push'],
      signal: this.#signal,
    });
    if (isStored(response)) return discard(response);
    // a commit whose answer was lost and that was sent again finds its session gone
    if (response.status === 404 && (await blobIsThere(this.#call, this.#descriptor.digest))) return discard(response);
    throw await this.#errorOf({ response });
  }

  #errorOf(outcome: Outcome): Promise<unknown> {
    return errorOf(this.#connection, this.#descriptor.digest, outcome);
  }
}
