import { addAbortSignal, Readable } from 'node:stream';
import { type CallOptions, type Descriptor, OciError, Verifier, verifyBytes } from '../../oci/index.ts';
import { messageOf } from '../../errors.ts';
import { RegistryError } from '../error.ts';
import { backoff, defaultAttempts, isTransientStatus, retryAfter } from '../http/backoff.ts';
import { discard } from '../http/body.ts';
import type { HttpResponse } from '../http/dispatch.ts';
import { isTransientError } from '../http/network-error.ts';
import { ChunkReader } from './chunk-reader.ts';
import { call, nameOf, type RepositoryConnection } from './connection.ts';
import {
  cancelUpload,
  commitUrl,
  locationOf,
  receivedBytes,
  startUpload,
  type UploadSession,
  uploadError,
  uploadStatus,
} from './upload-session.ts';

/** Bytes kept in memory so that they can be sent again; within ECR's 5 to 10 MiB. */
const chunkSize = 8 * 1024 * 1024;
/** A registry that wants larger chunks than this is refused rather than given the memory. */
const largestChunk = 128 * 1024 * 1024;

/**
 * Stores a blob. Bytes at hand, and streams that fit one chunk, go out in a single PUT that can be repeated whole;
 * longer streams go in chunks, each kept until the registry has it, so that a broken connection is continued from
 * where the registry says it stopped.
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH; RegistryError; the stream's own error
 */
export async function pushBlob(
  connection: RepositoryConnection,
  { descriptor, content }: { readonly descriptor: Descriptor; readonly content: Readable | Uint8Array },
  { signal }: CallOptions,
): Promise<void> {
  signal?.throwIfAborted();
  const upload = new Upload(connection, descriptor, signal);
  if (!(content instanceof Readable)) return upload.sendWhole(content);
  if (signal !== undefined) addAbortSignal(signal, content);
  const verifier = new Verifier(descriptor);
  const reader = new ChunkReader(content, descriptor.size, (bytes) => verifier.update(bytes));
  try {
    const first = await reader.read(chunkSize);
    if (!reader.ended && first.length >= chunkSize) return await upload.sendChunks(first, reader, verifier);
    verifier.finish();
    await upload.putWhole(first);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    content.destroy();
  }
}

class Upload {
  readonly #connection: RepositoryConnection;
  readonly #descriptor: Descriptor;
  readonly #signal: AbortSignal | undefined;

  constructor(connection: RepositoryConnection, descriptor: Descriptor, signal: AbortSignal | undefined) {
    this.#connection = connection;
    this.#descriptor = descriptor;
    this.#signal = signal;
  }

  async sendWhole(content: Uint8Array): Promise<void> {
    verifyBytes(this.#descriptor, content);
    await this.putWhole(content);
  }

  /** POST, then one PUT; a session that broke may hold a part of the bytes, so that each try opens a new one. */
  async putWhole(content: Uint8Array): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#putOnce(content);
      if ('response' in outcome && isStored(outcome.response)) return discard(outcome.response);
      if ('response' in outcome && outcome.response.status === 413 && content.byteLength > chunkSize) {
        // a proxy before the registry limits the size of one request
        await discard(outcome.response);
        return this.#sendInParts(content);
      }
      if (attempt >= defaultAttempts || !mayRepeat(outcome)) throw await this.#errorOf(outcome);
      await this.#pause(attempt, outcome);
    }
  }

  async #putOnce(content: Uint8Array): Promise<Outcome> {
    const { location } = await this.#start();
    let stored = false;
    try {
      const outcome = await this.#try(() => this.#put(location, content, { attempts: 1 }));
      stored = 'response' in outcome && isStored(outcome.response);
      return outcome;
    } finally {
      if (!stored) await cancelUpload(this.#connection, location);
    }
  }

  async #sendInParts(content: Uint8Array): Promise<void> {
    const reader = new ChunkReader(Readable.from([content], { objectMode: false }), content.byteLength, () => {});
    const first = await reader.read(chunkSize);
    const verifier = new Verifier(this.#descriptor);
    verifier.update(content);
    await this.sendChunks(first, reader, verifier);
  }

  /** POST, PATCH by PATCH, then an empty PUT. The next chunk is read while one is sent: two portions of memory serve. */
  async sendChunks(first: Buffer, reader: ChunkReader, verifier: Verifier): Promise<void> {
    let session = await this.#start();
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
    for (let attempt = 1; ; attempt++) {
      const rest = chunk.subarray(at - start);
      const outcome = await this.#try(() => this.#patch(current.location, rest, at));
      if ('response' in outcome && isAccepted(outcome.response)) {
        await discard(outcome.response);
        current = { ...current, location: locationOf(outcome.response, current.location) };
        const received = receivedBytes(outcome.response) ?? end;
        if (received >= end || received <= at) return current;
        at = received;
        attempt = 0;
        continue;
      }
      if (attempt >= defaultAttempts || !(mayRepeat(outcome) || isLostPlace(outcome)))
        throw await this.#errorOf(outcome);
      await this.#pause(attempt, outcome);
      const place = await this.#findPlace(current, { start, end });
      if (place.at > at) attempt = 0;
      ({ session: current, at } = place);
      if (at === end) return current;
    }
  }

  /** Where to go on after something broke; a new session if nothing but the chunk at hand was sent in the old one. */
  async #findPlace(
    session: UploadSession,
    { start, end }: { readonly start: number; readonly end: number },
  ): Promise<{ readonly session: UploadSession; readonly at: number }> {
    const status = await uploadStatus({ connection: this.#connection, signal: this.#signal }, session.location);
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
    return startUpload({ connection: this.#connection, signal: this.#signal }, this.#descriptor.digest);
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

  #put(location: URL, body: Uint8Array, { attempts }: { readonly attempts?: number } = {}): Promise<HttpResponse> {
    return call(this.#connection, {
      method: 'PUT',
      path: commitUrl(location, this.#descriptor.digest),
      headers: { 'content-type': 'application/octet-stream' },
      body,
      actions: ['push'],
      ...(attempts === undefined ? {} : { attempts }),
      signal: this.#signal,
    });
  }

  async #commit(location: URL): Promise<void> {
    const response = await this.#put(location, new Uint8Array());
    if (isStored(response)) return discard(response);
    // a commit whose answer was lost and that was sent again finds its session gone
    if (response.status === 404 && (await this.#isThere())) return discard(response);
    throw await this.#errorOf({ response });
  }

  async #isThere(): Promise<boolean> {
    const path = `blobs/${this.#descriptor.digest}`;
    const head = await call(this.#connection, { method: 'HEAD', path, signal: this.#signal });
    await discard(head);
    return head.status === 200;
  }

  async #try(send: () => Promise<HttpResponse>): Promise<Outcome> {
    try {
      return { response: await send() };
    } catch (error) {
      this.#signal?.throwIfAborted();
      return { error };
    }
  }

  async #pause(attempt: number, outcome: Outcome): Promise<void> {
    const { clock } = this.#connection;
    const asked = 'response' in outcome ? retryAfter(outcome.response, clock) : undefined;
    if ('response' in outcome) await discard(outcome.response);
    // what the registry asks for is kept by the host's gate already
    if (asked === undefined) await clock.sleep(backoff(attempt, clock), this.#signal);
  }

  async #errorOf(outcome: Outcome): Promise<unknown> {
    if ('error' in outcome) return outcome.error;
    const error = await uploadError(this.#connection, this.#descriptor.digest, outcome.response);
    if (error.serverCode !== 'DIGEST_INVALID') return error;
    const name = nameOf(this.#connection, this.#descriptor.digest);
    return new OciError('DIGEST_MISMATCH', `what arrived is not ${name}: ${messageOf(error)}`, { cause: error });
  }
}

type Outcome = { readonly response: HttpResponse } | { readonly error: unknown };

function isStored({ status }: HttpResponse): boolean {
  return status === 201 || status === 204 || status === 202 || status === 200;
}

/** 201 is what ECR says to a PATCH. */
function isAccepted({ status }: HttpResponse): boolean {
  return status === 202 || status === 201 || status === 204 || status === 200;
}

function mayRepeat(outcome: Outcome): boolean {
  return 'error' in outcome ? isTransientError(outcome.error) : isTransientStatus(outcome.response.status);
}

/** The registry has other bytes than we think, or no longer knows the session. */
function isLostPlace(outcome: Outcome): boolean {
  return 'response' in outcome && (outcome.response.status === 416 || outcome.response.status === 404);
}
