import { createHash, type Hash, randomUUID } from 'node:crypto';
import { algorithmOf, type Digest, type DigestAlgorithm, finishDigest } from '../../oci/index.ts';
import { bodyOf, type Exchange } from './exchange.ts';
import { ProtocolError } from './protocol-error.ts';
import type { RegistryStorage, UploadFile, UploadPlace } from './storage/storage.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface UploadLimits {
  /** Uploads open at once; 256 unless given. */
  readonly mostUploads?: number | undefined;
  /** Bytes of one blob; 64 GiB unless given. */
  readonly largestBlob?: number | undefined;
  /** Milliseconds without a request after which an upload is dropped; an hour unless given. */
  readonly idleTimeout?: number | undefined;
  /** Milliseconds after which what an upload of an earlier server has left is dropped; a day unless given. */
  readonly uploadAge?: number | undefined;
}

/** The uploads that clients have begun and not ended, bounded in number, size and time. On disk they outlive the server. */
export class UploadSessions {
  readonly #storage: RegistryStorage;
  readonly #limits: Required<{ [K in Exclude<keyof UploadLimits, 'uploadAge'>]: number }>;
  readonly #sessions = new Map<string, UploadSession>();

  constructor(storage: RegistryStorage, limits: UploadLimits = {}) {
    this.#storage = storage;
    this.#limits = {
      mostUploads: limits.mostUploads ?? 256,
      largestBlob: limits.largestBlob ?? 64 * 1024 ** 3,
      idleTimeout: limits.idleTimeout ?? 60 * 60_000,
    };
  }

  /** Milliseconds after which `dropIdle` gives an upload up. */
  get idleTimeout(): number {
    return this.#limits.idleTimeout;
  }

  /** How many are open in this process. */
  get open(): number {
    return this.#sessions.size;
  }

  /** Bytes that have come in so far, for one repository or for all. */
  pending(name?: string): number {
    let sum = 0;
    for (const session of this.#sessions.values())
      if (name === undefined || session.name === name) sum += session.received;
    return sum;
  }

  async start(name: string, algorithm: DigestAlgorithm): Promise<UploadSession> {
    await this.#makeRoom();
    const session = this.#add({ id: randomUUID(), name, algorithm });
    // The place is taken before the file is made: many requests at once must not get past the limit.
    try {
      session.attach(await this.#storage.startUpload(session));
    } catch (error) {
      this.forget(session);
      throw error;
    }
    return session;
  }

  /** @throws ProtocolError BLOB_UPLOAD_UNKNOWN, also for an upload of another repository */
  async find(name: string, id: string): Promise<UploadSession> {
    const session = this.#sessions.get(id) ?? (await this.#resume({ name, id }));
    if (session === undefined || session.name !== name) {
      throw new ProtocolError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
    }
    session.touch();
    return session;
  }

  /** What an earlier process has begun goes on where its bytes on disk end. */
  async #resume(place: UploadPlace): Promise<UploadSession | undefined> {
    if (!uuid.test(place.id)) return undefined;
    await this.#makeRoom();
    const file = await this.#storage.findUpload(place);
    const meanwhile = this.#sessions.get(place.id);
    if (file === undefined || meanwhile !== undefined) {
      await file?.leave();
      return meanwhile;
    }
    const session = this.#add({ ...place, algorithm: undefined });
    session.attach(file);
    return session;
  }

  #add(start: Omit<SessionStart, 'largest'>): UploadSession {
    const session = new UploadSession({ ...start, largest: this.#limits.largestBlob });
    this.#sessions.set(session.id, session);
    return session;
  }

  async #makeRoom(): Promise<void> {
    await this.dropIdle();
    if (this.#sessions.size < this.#limits.mostUploads) return;
    throw new ProtocolError('TOOMANYREQUESTS', 'too many uploads are open', { headers: { 'retry-after': '5' } });
  }

  /** Forgets an upload whose file went elsewhere. */
  forget(session: UploadSession): void {
    this.#sessions.delete(session.id);
  }

  async drop(session: UploadSession): Promise<void> {
    if (session.ended) return;
    await session.exclusive(async () => {
      session.end();
      await session.file.discard();
      this.forget(session);
    });
  }

  /** Lets go of all; those on disk are found again. */
  async close(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all(sessions.map((session) => session.exclusive(() => session.file.leave()).catch(ignore)));
  }

  /** Gives up uploads that nobody has gone on with. */
  async dropIdle(): Promise<void> {
    const oldest = Date.now() - this.#limits.idleTimeout;
    for (const session of this.#sessions.values()) {
      if (session.touched < oldest) await this.drop(session).catch(ignore);
    }
  }
}

type Bodied = Pick<Exchange, 'request' | 'response'>;

interface SessionStart {
  readonly id: string;
  readonly name: string;
  /** By what the bytes are hashed as they come; undefined for hashing in the end. */
  readonly algorithm: DigestAlgorithm | undefined;
  readonly largest: number;
}

/** One upload: its bytes, hashed as they come. Requests to it take turns. */
export class UploadSession {
  readonly id: string;
  readonly name: string;
  touched = Date.now();
  /** Bytes that the last whole chunk announced. */
  lastChunk: number | undefined;
  ended = false;
  readonly #algorithm: DigestAlgorithm | undefined;
  readonly #largest: number;
  readonly #hash: Hash | undefined;
  #file: UploadFile | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ id, name, algorithm, largest }: SessionStart) {
    this.id = id;
    this.name = name;
    this.#algorithm = algorithm;
    this.#largest = largest;
    this.#hash = algorithm === undefined ? undefined : createHash(algorithm);
  }

  get received(): number {
    return this.#file?.size ?? 0;
  }

  get file(): UploadFile {
    if (this.#file === undefined) throw new ProtocolError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
    return this.#file;
  }

  attach(file: UploadFile): void {
    this.#file = file;
  }

  touch(): void {
    this.touched = Date.now();
  }

  /** Nothing more is taken: what waits for its turn finds no such upload. */
  end(): void {
    this.ended = true;
  }

  /** Runs `work` when all earlier work on this upload has ended: a client may ask before we see its last connection break. */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => {
      if (this.ended) throw new ProtocolError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
      return work();
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /**
   * Appends a request's body; what came before a break stays and counts. `check` is asked before bytes are taken.
   * @throws ProtocolError SIZE_INVALID (413), what `check` throws
   */
  async append(exchange: Bodied, check: (size: number) => Promise<void>): Promise<void> {
    await this.#check(Number(exchange.request.headers['content-length'] ?? 0), check);
    for await (const chunk of bodyOf(exchange)) {
      await this.#check(chunk.length, check);
      await this.file.append(chunk);
      this.#hash?.update(chunk);
      this.touch();
    }
  }

  async #check(size: number, check: (size: number) => Promise<void>): Promise<void> {
    if (this.received + size > this.#largest) {
      throw new ProtocolError('SIZE_INVALID', `a blob has ${this.#largest} bytes at most`, {
        status: 413,
        detail: { largest: this.#largest },
      });
    }
    await check(size);
  }

  /** The digest of all bytes, by the algorithm of `wanted`; read again where we hashed with another one. */
  async digest(wanted: Digest): Promise<Digest> {
    const algorithm = algorithmOf(wanted);
    if (this.#hash !== undefined && algorithm === this.#algorithm) return finishDigest(this.#hash.copy(), algorithm);
    const hash = createHash(algorithm);
    for await (const chunk of (await this.file.read()) as AsyncIterable<Buffer>) hash.update(chunk);
    return finishDigest(hash, algorithm);
  }
}

/** For uploads that end by themselves while they are given up. */
function ignore(): void {}
