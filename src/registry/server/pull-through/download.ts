import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Descriptor } from '../../../oci/index.ts';
import type { RegistryStorage, UploadFile } from '../storage/storage.ts';

export interface DownloadOptions {
  readonly storage: RegistryStorage;
  readonly name: string;
  readonly descriptor: Descriptor;
  /** The content; fails before its end where it is not what the descriptor says. */
  readonly open: () => Promise<Readable>;
}

/** Bytes. */
const goodPiece = 256 * 1024;
/** Milliseconds. */
const moment = 20;

/**
 * One blob on its way from the upstream into the storage. Any number of readers follow it, from wherever they want, none
 * of whom slows it down; it goes on when all of them have left. Nobody gets the last byte before all bytes are proven
 * right, so that a wrong blob is never seen as a whole one.
 */
export class Download {
  readonly size: number;
  readonly #options: DownloadOptions;
  #file: UploadFile | undefined;
  #state: 'running' | 'stored' | 'failed' = 'running';
  #failure: unknown;
  #changed = Promise.withResolvers<void>();
  #untold = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Resolves when it has ended, either way. */
  readonly ended: Promise<void>;

  constructor(options: DownloadOptions) {
    this.size = options.descriptor.size;
    this.#options = options;
    this.ended = this.#run();
  }

  /** Streams the bytes from `start` to `end`, both included, as they come. */
  read(start: number, end: number): Readable {
    return Readable.from(this.#follow(start, end), { objectMode: false });
  }

  async *#follow(start: number, end: number): AsyncGenerator<Buffer> {
    let position = start;
    while (position <= end) {
      // The order matters: what is awaited must be the change after what was looked at.
      const changed = this.#changed.promise;
      if (this.#state === 'failed') throw this.#failure;
      if (this.#state === 'stored') return yield* this.#stored(position, end);
      const there = Math.min(this.#file?.size ?? 0, this.size - 1, end + 1);
      if (there <= position) {
        await changed;
        continue;
      }
      const part = await this.#part(position, there - 1);
      for await (const chunk of part ?? []) {
        position += (chunk as Buffer).length;
        yield chunk as Buffer;
      }
    }
  }

  /** Bytes that have come; undefined where the file was made a blob in the meantime. */
  async #part(start: number, end: number): Promise<Readable | undefined> {
    try {
      const part = await this.#file?.read(start, end);
      return this.#state === 'running' ? part : void part?.destroy();
    } catch (error) {
      if (this.#state === 'running') throw error;
      return undefined;
    }
  }

  async *#stored(start: number, end: number): AsyncGenerator<Buffer> {
    const { storage, name, descriptor } = this.#options;
    const blob = await storage.repository(name).blob(descriptor.digest);
    if (blob === undefined) throw new Error(`${descriptor.digest} was deleted`);
    yield* blob.read(start, end) as AsyncIterable<Buffer>;
  }

  async #run(): Promise<void> {
    const { storage, name, descriptor, open } = this.#options;
    try {
      const content = await open();
      this.#file = await storage.startUpload({ name, id: randomUUID() });
      for await (const chunk of content as AsyncIterable<Buffer>) {
        await this.#file.append(chunk);
        this.#tellSoon(chunk.length);
      }
      await storage.repository(name).commitBlob(descriptor.digest, this.#file);
      this.#state = 'stored';
    } catch (error) {
      this.#state = 'failed';
      this.#failure = error;
      await this.#file?.discard().catch(() => {});
    }
    this.#tell();
  }

  /** Readers are woken for a good piece, or what has come in a moment. */
  #tellSoon(size: number): void {
    this.#untold += size;
    if (this.#untold >= goodPiece) this.#tell();
    else this.#timer ??= setTimeout(() => this.#tell(), moment);
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#untold = 0;
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}
