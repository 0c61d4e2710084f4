import { createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ContainerError } from '../error.ts';

/**
 * Something that one process of this machine's network can hold: a listening socket with an abstract name (unix(7)). Such names
 * belong to the network namespace, as bridges and addresses do, whichever store or file system a process uses; the kernel frees
 * one when its process ends, however it ends.
 */
export class MachineLock implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** undefined: somebody else has it. */
  static async take(name: string): Promise<MachineLock | undefined> {
    const server = createServer((socket) => socket.destroy());
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ path: `\0slipway-${name}` }, () => resolve(true));
    if (!(await promise)) return undefined;
    server.unref();
    return new MachineLock(server);
  }

  /**
   * Waits for it, but not for ever: whoever has it may have been stopped.
   * @param patience milliseconds
   * @throws ContainerError NETWORK_FAILED
   */
  static async wait(name: string, patience: number, signal?: AbortSignal): Promise<MachineLock> {
    const end = Date.now() + patience;
    for (;;) {
      const lock = await MachineLock.take(name);
      if (lock !== undefined) return lock;
      if (Date.now() > end) {
        throw new ContainerError('NETWORK_FAILED', `another process has held the lock "${name}" for ${patience} ms`);
      }
      await delay(5, undefined, { signal });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
