import { closeSync, constants, fchownSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadSyscalls } from '../system/index.ts';

const fifo = 0o010600; // S_IFIFO, rw for the owner
const chunkSize = 65536; // what a pipe holds
const mostChunks = 16; // at a time: a writer without end must not keep everything else waiting
const shortestWait = 1;
const longestWait = 16;

/**
 * A pipe that a step writes to: a true one. What child_process calls a pipe is a socket, which cannot be opened again, so
 * that `echo >/dev/stderr` in a step would fail (ENXIO).
 *
 * It is polled, after 1 to 16 ms, and at once when the writer has ended. A stream over the descriptor would close it behind
 * the back of the worker's table of open files, and the worker closes what is in that table when it ends: by then a file of
 * another thread.
 */
export class OutputPipe {
  /** For the child's stdio. */
  readonly writeEnd: number;
  readonly #readEnd: number;
  readonly #buffer = Buffer.allocUnsafe(chunkSize);
  readonly #ended = Promise.withResolvers<void>();
  #onData: (chunk: Buffer) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #wait = shortestWait;
  #isOpen = true;

  /**
   * @param folder where its name is for a moment
   * @param owner who may open it again inside
   */
  constructor(folder: string, owner: { readonly uid: number; readonly gid: number }) {
    const path = join(folder, 'output');
    rmSync(path, { force: true });
    loadSyscalls().mknod(path, fifo, 0, 0);
    // The reader first and without waiting: a writer would wait for one.
    this.#readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.writeEnd = openSync(path, constants.O_WRONLY);
    rmSync(path);
    fchownSync(this.writeEnd, owner.uid, owner.gid);
  }

  /** Hands on what comes; to be called once the child has the write end. Fulfilled when nobody can write any more. */
  read(onData: (chunk: Buffer) => void): Promise<void> {
    closeSync(this.writeEnd);
    this.#onData = onData;
    this.hurry();
    return this.#ended.promise;
  }

  /** Looks now: the writer has ended. */
  hurry(): void {
    if (!this.#isOpen) return;
    clearTimeout(this.#timer);
    const state = this.#drain();
    if (state === 'ended') return;
    this.#wait = state === 'idle' ? Math.min(this.#wait * 2, longestWait) : shortestWait;
    this.#timer = setTimeout(() => this.hurry(), this.#wait);
  }

  #drain(): 'ended' | 'idle' | 'busy' {
    for (let chunks = 0; chunks < mostChunks; chunks++) {
      const length = readNow(this.#readEnd, this.#buffer);
      if (length === undefined) return chunks === 0 ? 'idle' : 'busy';
      if (length === 0) {
        this.#isOpen = false;
        closeSync(this.#readEnd);
        this.#ended.resolve();
        return 'ended';
      }
      this.#onData(Buffer.from(this.#buffer.subarray(0, length)));
    }
    return 'busy';
  }
}

/** undefined: nothing is there yet. */
function readNow(fd: number, buffer: Buffer): number | undefined {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}
