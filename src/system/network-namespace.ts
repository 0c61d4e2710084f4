import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { requireExecutable } from './find-executable.ts';
import { SystemError } from './error.ts';
import { minimalEnvironment } from './run.ts';

/**
 * A network namespace that lives as long as this process holds it open or another process is in it: SIGKILL leaves none. Nothing
 * is set up in it.
 */
export class NetworkNamespace implements Disposable {
  readonly #fd: number;
  readonly #witness: { readonly pid: number; end(): void };

  private constructor(fd: number, witness: { readonly pid: number; end(): void }) {
    this.#fd = fd;
    this.#witness = witness;
  }

  /**
   * Made by a process that enters it and waits: this one could not leave it again, as the machine's network is not an ordinary
   * user's to enter.
   * @throws SystemError COMMAND_MISSING, COMMAND_FAILED
   */
  static async make(): Promise<NetworkNamespace> {
    const file = requireExecutable('unshare');
    const child = spawn(file, ['--net', 'cat'], { stdio: ['pipe', 'pipe', 'ignore'], env: minimalEnvironment() });
    const end = (): void => void child.stdin.end(); // which ends it, as our own end does
    child.stdin.on('error', () => {});
    child.stdin.write('x');
    const entered = await Promise.race([
      once(child.stdout, 'data').then(() => true),
      once(child, 'close').then(() => false),
      once(child, 'error').then(() => false),
    ]);
    if (!entered || child.pid === undefined) {
      throw new SystemError('COMMAND_FAILED', 'unshare makes no network namespace');
    }
    child.unref();
    try {
      return new NetworkNamespace(openSync(`/proc/${child.pid}/ns/net`, 'r'), { pid: child.pid, end });
    } catch (error) {
      end();
      throw error;
    }
  }

  /** To hand on to a program. */
  get fd(): number {
    return this.#fd;
  }

  /** By which other programs can open it. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.#fd}`;
  }

  /** A file of /proc/net as it is in there; only until `settle`. */
  read(name: string): string {
    return readFileSync(`/proc/${this.#witness.pid}/net/${name}`, 'latin1');
  }

  /** Ends the process that is in it. */
  settle(): void {
    this.#witness.end();
  }

  [Symbol.dispose](): void {
    this.settle();
    closeSync(this.#fd);
  }
}
