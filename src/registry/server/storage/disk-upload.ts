import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { hasCode } from './durable.ts';
import type { UploadFile, UploadPlace } from './storage.ts';

/** Bytes that are worth a write. */
const fewestWritten = 256 * 1024;
/** Bytes that wait for the disk while the next ones are taken and hashed. */
const mostWaiting = 1024 * 1024;

/** An upload as a file. Bytes reach it in order, so that whatever a killed process leaves is what came first. */
export class DiskUpload implements UploadFile {
  readonly path: string;
  readonly #file: FileHandle;
  #size: number;
  #waiting: Buffer[] = [];
  #waitingSize = 0;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  private constructor(path: string, file: FileHandle, size: number) {
    this.path = path;
    this.#file = file;
    this.#size = size;
  }

  static async start(folder: string, place: UploadPlace): Promise<DiskUpload> {
    const path = uploadPath(folder, place);
    return new DiskUpload(path, await open(path, 'wx', 0o644), 0);
  }

  static async find(folder: string, place: UploadPlace): Promise<DiskUpload | undefined> {
    const path = uploadPath(folder, place);
    try {
      const file = await open(path, 'r+');
      return new DiskUpload(path, file, (await file.stat()).size);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  async append(chunk: Buffer): Promise<void> {
    this.#waiting.push(chunk);
    this.#waitingSize += chunk.length;
    this.#size += chunk.length;
    if (this.#waitingSize >= fewestWritten) this.#writing ??= this.#write();
    if (this.#waitingSize >= mostWaiting) await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async read(start = 0, end = Infinity): Promise<Readable> {
    await this.#flush();
    return createReadStream(this.path, { start, end, highWaterMark: 256 * 1024 });
  }

  /** Has all bytes on disk and closes. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#file.sync();
    await this.#file.close();
  }

  async discard(): Promise<void> {
    this.#waiting = [];
    await this.#close();
    await rm(this.path, { force: true });
  }

  async leave(): Promise<void> {
    await this.#flush().catch(() => {});
    await this.#close();
  }

  async #close(): Promise<void> {
    await this.#writing;
    await this.#file.close().catch(() => {});
  }

  async #flush(): Promise<void> {
    await this.#writing;
    await this.#write();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** One write at a time, of all that waits; never rejects. */
  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const chunks = this.#waiting;
        const at = this.#size - this.#waitingSize;
        this.#waiting = [];
        this.#waitingSize = 0;
        await writeAll(this.#file, chunks, at);
      }
    } catch (error) {
      this.#failure ??= error;
    }
    this.#writing = undefined;
  }
}

async function writeAll(file: FileHandle, chunks: readonly Buffer[], position: number): Promise<void> {
  const { bytesWritten } = await file.writev(chunks, position);
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  if (bytesWritten === size) return;
  const rest = Buffer.concat(chunks).subarray(bytesWritten);
  for (let at = 0; at < rest.length; ) {
    at += (await file.write(rest, at, rest.length - at, position + bytesWritten + at)).bytesWritten;
  }
}

/** The repository is part of the name, so that an id means nothing in another one. */
function uploadPath(folder: string, { name, id }: UploadPlace): string {
  return join(folder, `${id}.${createHash('sha256').update(name).digest('hex').slice(0, 16)}`);
}
