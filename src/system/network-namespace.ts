import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { requireExecutable } from './find-executable.ts';
import { SystemError } from './error.ts';
import { loadSyscalls } from './load-syscalls.ts';
import { minimalEnvironment } from './run.ts';
import { cloneFlags } from './syscalls.ts';

const ownNetwork = '/proc/thread-self/ns/net';

/**
 * A network namespace that lives as long as this process holds it open or another process is in it: SIGKILL leaves none. Nothing
 * is set up in it.
 */
export class NetworkNamespace implements Disposable {
  readonly #fd: number;

  protected constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Made by this thread, which enters it and comes back at once: for root, to whom the machine's network is open.
   * @param within is called in there
   * @throws SystemError SYSCALL_FAILED
   */
  static make(within: () => void = () => {}): NetworkNamespace {
    const calls = loadSyscalls();
    const home = openSync(ownNetwork, 'r');
    try {
      calls.setns(home, cloneFlags.newNamespaceNetwork); // who may not come back must not leave
      calls.unshare(cloneFlags.newNamespaceNetwork);
      try {
        const made = new NetworkNamespace(openSync(ownNetwork, 'r'));
        try {
          within();
        } catch (error) {
          made[Symbol.dispose]();
          throw error;
        }
        return made;
      } finally {
        calls.setns(home, cloneFlags.newNamespaceNetwork);
      }
    } finally {
      closeSync(home);
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

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/**
 * One that another process has made and waits in: the machine's network is not an ordinary user's to enter, so this one could not
 * come back to it.
 */
export class WitnessedNamespace extends NetworkNamespace {
  readonly #witness: { readonly pid: number; end(): void };

  private constructor(fd: number, witness: { readonly pid: number; end(): void }) {
    super(fd);
    this.#witness = witness;
  }

  /** @throws SystemError COMMAND_MISSING, COMMAND_FAILED */
  static async open(): Promise<WitnessedNamespace> {
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
      return new WitnessedNamespace(openSync(`/proc/${child.pid}/ns/net`, 'r'), { pid: child.pid, end });
    } catch (error) {
      end();
      throw error;
    }
  }

  /** A file of /proc/net as it is in there; only until `settle`. */
  read(name: string): string {
    return readFileSync(`/proc/${this.#witness.pid}/net/${name}`, 'latin1');
  }

  /** Ends the process that is in it. */
  settle(): void {
    this.#witness.end();
  }

  override [Symbol.dispose](): void {
    this.settle();
    super[Symbol.dispose]();
  }
}
