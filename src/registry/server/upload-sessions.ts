import { createHash, type Hash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { algorithmOf, type Digest, type DigestAlgorithm, finishDigest } from '../../oci/index.ts';
import { ProtocolError } from './protocol-error.ts';
import type { RegistryStorage, UploadFile } from './storage.ts';

export interface UploadLimits {
  /** Uploads open at once; 256 unless given. */
  readonly mostUploads?: number | undefined;
  /** Bytes of one blob; 64 GiB unless given. */
  readonly largestBlob?: number | undefined;
  /** Milliseconds without a request after which an upload is dropped; an hour unless given. */
  readonly idleTimeout?: number | undefined;
}

/** The uploads that clients have begun and not ended. They are bounded in number, size and time, and do not outlive the server. */
export class UploadSessions {
  readonly #storage: RegistryStorage;
  readonly #limits: Required<{ [K in keyof UploadLimits]: number }>;
  readonly #sessions = new Map<string, UploadSession>();

  constructor(storage: RegistryStorage, limits: UploadLimits = {}) {
    this.#storage = storage;
    this.#limits = {
      mostUploads: limits.mostUploads ?? 256,
      largestBlob: limits.largestBlob ?? 64 * 1024 ** 3,
      idleTimeout: limits.idleTimeout ?? 60 * 60_000,
    };
  }

  async start(name: string, algorithm: DigestAlgorithm): Promise<UploadSession> {
    await this.#dropIdle();
    if (this.#sessions.size >= this.#limits.mostUploads) {
      throw new ProtocolError('TOOMANYREQUESTS', 'too many uploads are open', { headers: { 'retry-after': '5' } });
    }
    const id = randomUUID();
    // taken before the file is made: many requests at once must not get past the limit
    const session = new UploadSession({ id, name, algorithm, largest: this.#limits.largestBlob });
    this.#sessions.set(id, session);
    try {
      session.attach(await this.#storage.startUpload());
    } catch (error) {
      this.#sessions.delete(id);
      throw error;
    }
    return session;
  }

  /** @throws ProtocolError BLOB_UPLOAD_UNKNOWN, also for an upload of another repository */
  find(name: string, id: string): UploadSession {
    const session = this.#sessions.get(id);
    if (session === undefined || session.name !== name) {
      throw new ProtocolError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
    }
    session.touch();
    return session;
  }

  /** Forgets an upload whose file went elsewhere. */
  forget(session: UploadSession): void {
    this.#sessions.delete(session.id);
  }

  async drop(session: UploadSession): Promise<void> {
    this.forget(session);
    await session.exclusive(() => session.file.discard());
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => this.drop(session)));
  }

  async #dropIdle(): Promise<void> {
    const oldest = Date.now() - this.#limits.idleTimeout;
    for (const session of this.#sessions.values()) if (session.touched < oldest) await this.drop(session);
  }
}

interface SessionStart {
  readonly id: string;
  readonly name: string;
  readonly algorithm: DigestAlgorithm;
  readonly largest: number;
}

/** One upload: its bytes, hashed as they come. Requests to it take turns. */
export class UploadSession {
  readonly id: string;
  readonly name: string;
  touched = Date.now();
  /** Bytes that the last whole chunk announced. */
  lastChunk: number | undefined;
  readonly #algorithm: DigestAlgorithm;
  readonly #largest: number;
  #hash: Hash;
  #received = 0;
  #file: UploadFile | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ id, name, algorithm, largest }: SessionStart) {
    this.id = id;
    this.name = name;
    this.#algorithm = algorithm;
    this.#largest = largest;
    this.#hash = createHash(algorithm);
  }

  get received(): number {
    return this.#received;
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

  /** Runs `work` when all earlier work on this upload has ended: a client may ask before we see its last connection break. */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Appends a request's body; what came before a break stays and counts. @throws ProtocolError SIZE_INVALID (413) */
  async append(request: IncomingMessage): Promise<void> {
    // A request that is destroyed takes its connection with it, and our answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (this.#received + chunk.length > this.#largest) {
        throw new ProtocolError('SIZE_INVALID', `a blob has ${this.#largest} bytes at most`, { status: 413 });
      }
      await this.file.append(chunk);
      this.#hash.update(chunk);
      this.#received += chunk.length;
      this.touch();
    }
  }

  /** The digest of all bytes, by the algorithm of `wanted`; read again where we hashed with another one. */
  async digest(wanted: Digest): Promise<Digest> {
    const algorithm = algorithmOf(wanted);
    if (algorithm === this.#algorithm) return finishDigest(this.#hash.copy(), algorithm);
    const hash = createHash(algorithm);
    for await (const chunk of this.file.read() as AsyncIterable<Buffer>) hash.update(chunk);
    return finishDigest(hash, algorithm);
  }
}
