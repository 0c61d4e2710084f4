import {
  type CallOptions,
  type ContentSource,
  type Descriptor,
  type PushFromOptions,
  Verifier,
} from '../../oci/index.ts';
import { RegistryError } from '../error.ts';
import { discard, readPrefix } from '../http/body.ts';
import type { HttpResponse } from '../http/dispatch.ts';
import { codeOf } from '../record.ts';
import { call, type RepositoryConnection } from './connection.ts';
import { ContentCursor } from './content-cursor.ts';
import { SessionMemory } from './session-memory.ts';
import {
  cancelUpload,
  commitUrl,
  locationOf,
  receivedBytes,
  startUpload,
  type UploadSession,
  uploadStatus,
} from './upload-session.ts';
import {
  blobIsThere,
  errorOf,
  isAccepted,
  isStored,
  letGo,
  mayPass,
  mostRecoveries,
  type Outcome,
  outcomeOf,
  pauseAfter,
  tooSlow,
} from './upload-outcome.ts';

/** What one request carries at most where a proxy refuses larger ones (413), tried in turn; within ECR's 5 to 10 MiB, and nginx's 1 MiB. */
const portions = [8 * 1024 * 1024, 1024 * 1024] as const;

export interface ContentToPush {
  readonly descriptor: Descriptor;
  readonly source: ContentSource;
  /** An upload that the registry has opened for it already, in answer to a mount. */
  readonly session?: UploadSession | undefined;
}

/**
 * Stores a blob whose content can be read again. It goes out in a single PUT, without being kept in memory; whatever breaks it (the
 * connection, a proxy's limit, a token that dies), the registry is asked how much it has, and gets the rest.
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH; RegistryError; the content's own error
 */
export async function pushContent(
  connection: RepositoryConnection,
  content: ContentToPush,
  options: PushFromOptions,
): Promise<void> {
  options.signal?.throwIfAborted();
  await new Upload(connection, content, options).run();
}

/** One blob on its way; asks the registry for its place whenever that is not certain. */
class Upload {
  readonly #connection: RepositoryConnection;
  readonly #descriptor: Descriptor;
  readonly #source: ContentSource;
  readonly #options: PushFromOptions;
  readonly #content: ContentCursor;
  readonly #memory: SessionMemory;
  #session: UploadSession | undefined;
  /** Bytes that the registry has. */
  #at = 0;
  /** Most bytes of one request. */
  #portion = Number.POSITIVE_INFINITY;
  #failures = 0;
  /** Most that the registry ever had of this session: less than that is no progress. */
  #furthest = 0;
  #recoveries = 0;
  #begunAgain = false;

  constructor(
    connection: RepositoryConnection,
    { descriptor, source, session }: ContentToPush,
    options: PushFromOptions,
  ) {
    this.#connection = connection;
    this.#descriptor = descriptor;
    this.#source = source;
    this.#options = options;
    this.#session = session;
    this.#content = new ContentCursor(descriptor, source);
    this.#memory = new SessionMemory(connection, descriptor, options.memory);
  }

  async run(): Promise<void> {
    try {
      await this.#resume();
      for (;;) {
        const isWhole = this.#at === 0 && this.#portion >= this.#descriptor.size;
        if (isWhole || this.#at === this.#descriptor.size) {
          if (await this.#put()) break;
        } else await this.#patch();
      }
      this.#memory.forget();
    } catch (error) {
      await this.#giveUp(error);
      this.#options.signal?.throwIfAborted();
      throw error;
    } finally {
      this.#content.close();
    }
  }

  /** What an earlier process left is gone on with, if the registry still has it. */
  async #resume(): Promise<void> {
    const kept = this.#memory.take();
    if (kept !== undefined && this.#session === undefined) {
      const status = await this.#ask(kept);
      if (status !== undefined) return this.#goOn(kept, status);
    }
    await this.#begin();
  }

  async #begin(): Promise<void> {
    this.#session ??= await startUpload(this.#call, this.#descriptor.digest);
    this.#at = 0;
    this.#furthest = 0;
    this.#memory.keep(this.#session);
  }

  #goOn(session: UploadSession, { received, location }: { readonly received: number; readonly location: URL }): void {
    if (received > this.#furthest) this.#failures = 0;
    this.#furthest = Math.max(this.#furthest, received);
    this.#session = { ...session, location };
    this.#at = received;
    this.#memory.keep(this.#session);
    this.#options.onProgress?.(received);
  }

  /** The rest in one request, or all of it; true when the registry has the blob. */
  async #put(): Promise<boolean> {
    const { location } = this.#opened();
    const outcome = await this.#send('PUT', commitUrl(location, this.#descriptor.digest), this.#descriptor.size);
    if ('response' in outcome && isStored(outcome.response)) {
      await discard(outcome.response);
      this.#options.onProgress?.(this.#descriptor.size);
      return true;
    }
    // an answer that was lost, or a repeated commit of what is committed
    if (!isRefusal(outcome) && (await this.#isThere())) return true;
    await this.#recover(outcome);
    return false;
  }

  async #patch(): Promise<void> {
    const session = this.#opened();
    const end = Math.min(this.#descriptor.size, this.#at + Math.max(this.#portion, session.minimumChunk));
    const outcome = await this.#send('PATCH', session.location, end);
    if (!('response' in outcome) || !isAccepted(outcome.response)) return this.#recover(outcome);
    await discard(outcome.response);
    const told = receivedBytes(outcome.response) ?? end;
    // some registries tell the range of the last chunk, or none
    const received = told > this.#at && told <= end ? told : end;
    if (received < end && (this.#recoveries += 1) >= mostRecoveries) throw tooSlow(this.#connection.host);
    this.#goOn(session, { received, location: locationOf(outcome.response, session.location) });
  }

  /** Sends from where we are to before `end`. */
  async #send(method: 'PUT' | 'PATCH', url: URL, end: number): Promise<Outcome> {
    const start = this.#at;
    const content = this.#content;
    const { onProgress } = this.#options;
    async function* open(): AsyncGenerator<Buffer> {
      let at = start;
      for await (const piece of content.read(start, end)) {
        yield piece;
        onProgress?.((at += piece.length));
      }
    }
    const headers = { 'content-type': 'application/octet-stream' };
    const range = { 'content-range': `${start}-${end - 1}` };
    const body = end === start ? new Uint8Array() : { length: end - start, open };
    const outcome = await outcomeOf(() =>
      call(this.#connection, {
        method,
        path: url,
        headers: method === 'PATCH' ? { ...headers, ...range } : headers,
        body,
        actions: ['push'],
        attempts: 1,
        signal: this.#options.signal,
      }),
    );
    this.#options.signal?.throwIfAborted();
    if (content.failure !== undefined) throw content.failure.error;
    return outcome;
  }

  /** After a request that did not do: waits, and finds out where to go on. @throws what cannot be mended */
  async #recover(outcome: Outcome): Promise<void> {
    const status = 'response' in outcome ? outcome.response.status : 0;
    this.#failures += 1;
    this.#recoveries += 1;
    if (this.#failures >= this.#connection.policy.attempts || this.#recoveries >= mostRecoveries)
      throw await this.#errorOf(outcome);
    const isTooLarge = status === 413 && this.#lowerPortion();
    if (!isTooLarge && !mayPass(outcome)) return this.#beginAgainAfter(await this.#errorOf(outcome));
    const hint = 'response' in outcome && status === 416 ? await expectedByte(outcome.response) : undefined;
    if (isTooLarge || status === 401 || status === 416) await letGo(outcome);
    else await pauseAfter(this.#call, outcome, this.#failures);
    const session = this.#opened();
    const told = await this.#ask(session);
    if (told !== undefined) return this.#goOn(session, told);
    if (hint !== undefined && hint <= this.#descriptor.size && hint !== this.#at) {
      return this.#goOn(session, { received: hint, location: session.location });
    }
    await this.#beginAgain();
  }

  /** An upload that the registry no longer understands, or whose bytes it finds wrong although ours are right, is begun once more. */
  async #beginAgainAfter(error: unknown): Promise<void> {
    const isWrong = codeOf(error) === 'DIGEST_MISMATCH';
    if (this.#begunAgain || !(isWrong || isConfused(error))) throw error;
    this.#begunAgain = true;
    if (isWrong) await this.#verifySource();
    await this.#beginAgain();
  }

  /** A smaller one for each refusal; false where there is none. */
  #lowerPortion(): boolean {
    const next = portions.find((each) => each < Math.min(this.#portion, this.#descriptor.size));
    if (next === undefined || next < this.#opened().minimumChunk) return false;
    this.#portion = next;
    return true;
  }

  async #beginAgain(): Promise<void> {
    const old = this.#session;
    this.#session = undefined;
    if (old !== undefined) await cancelUpload(this.#connection, old.location);
    await this.#begin();
  }

  /** Where an upload stands; undefined where the registry does not know it, or has what cannot be ours. */
  async #ask(session: UploadSession): Promise<{ readonly received: number; readonly location: URL } | undefined> {
    const status = await uploadStatus(this.#call, session.location);
    return status !== undefined && status.received <= this.#descriptor.size ? status : undefined;
  }

  /** The registry verifies what it gets, so that we need not; which side is wrong is seen now. @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH */
  async #verifySource(): Promise<void> {
    const verifier = new Verifier(this.#descriptor);
    for await (const chunk of (await this.#source(0)) as AsyncIterable<Buffer>) verifier.update(chunk);
    verifier.finish();
  }

  /** What may be gone on with is left to the registry and remembered; what cannot is cancelled. */
  async #giveUp(error: unknown): Promise<void> {
    const session = this.#session;
    const isWorthwhile = this.#options.signal?.aborted === true || isTrouble(error);
    if (session === undefined || (isWorthwhile && this.#memory.keeps)) return;
    this.#memory.forget();
    await cancelUpload(this.#connection, session.location);
  }

  #opened(): UploadSession {
    if (this.#session === undefined) throw new Error('an upload is sent before it is opened');
    return this.#session;
  }

  #isThere(): Promise<boolean> {
    return blobIsThere(this.#call, this.#descriptor.digest);
  }

  #errorOf(outcome: Outcome): Promise<unknown> {
    return errorOf(this.#connection, this.#descriptor.digest, outcome);
  }

  get #call(): CallOptions & { readonly connection: RepositoryConnection } {
    return { connection: this.#connection, signal: this.#options.signal };
  }
}

/** An answer that says no, rather than none or that of a registry in trouble. */
function isRefusal(outcome: Outcome): boolean {
  if (!('response' in outcome)) return false;
  const { status } = outcome.response;
  return status === 401 || status === 403 || status === 413 || status === 400;
}

/** The network's or the registry's doing, which may be over the next time. */
function isTrouble(error: unknown): boolean {
  const codes = new Set(['NETWORK', 'TIMEOUT', 'UNAVAILABLE', 'RATE_LIMITED', 'UNAUTHORIZED']);
  return error instanceof RegistryError && codes.has(error.code);
}

/** What registries say to bytes that do not fit what they have. */
function isConfused(error: unknown): boolean {
  const codes = new Set(['BLOB_UPLOAD_INVALID', 'BLOB_UPLOAD_UNKNOWN', 'RANGE_INVALID', 'SIZE_INVALID']);
  return error instanceof RegistryError && codes.has(error.serverCode ?? '');
}

/** ECR says in words where it is: "First byte of the layer part is 0 instead of 11304960". */
async function expectedByte(response: HttpResponse): Promise<number | undefined> {
  const text = (await readPrefix(response.body, 8192)).toString('utf8');
  const match = /\binstead of (\d{1,15})\b/.exec(text);
  return match === null ? undefined : Number(match[1]);
}
