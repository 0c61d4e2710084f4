import { createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

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

  /** Waits for it. */
  static async wait(name: string, signal?: AbortSignal): Promise<MachineLock> {
    for (;;) {
      const lock = await MachineLock.take(name);
      if (lock !== undefined) return lock;
      await delay(5, undefined, { signal });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
