import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from './harness.ts';

export const project = dirname(import.meta.dirname);
const launcher = join(project, 'bin', 'slipway');

/** One of our commands, as this very Node runs it. */
export function slipway(...args: string[]): Command {
  return [process.execPath, launcher, ...args];
}

/** Runs something that is not measured. @throws Error when it fails */
export async function run([program, ...args]: Command, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const options = { env: { ...process.env, ...env }, maxBuffer: 1 << 26 };
  return (await promisify(execFile)(program, args, options)).stdout;
}

/** Where one benchmark works: a folder of its own, for peers too, so that all write to the same file system. */
export class Place {
  readonly folder: string;
  readonly #closing: (() => Promise<void>)[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  /** `SLIPWAY_BENCH_DIR` chooses the file system; memory unless given, because disks differ more than programs do. */
  static async make(): Promise<Place> {
    const parent = process.env['SLIPWAY_BENCH_DIR'] ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
    // buildah takes such a path for a name, which must be in lower case.
    const folder = join(parent, `slipway-bench-${randomBytes(6).toString('hex')}`);
    await mkdir(folder, { mode: 0o700 });
    return new Place(folder);
  }

  /** A store of ours by name. */
  store(name = 'store'): { readonly SLIPWAY_ROOT: string } {
    return { SLIPWAY_ROOT: this.path(name) };
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  onClose(work: () => Promise<void>): void {
    this.#closing.unshift(work);
  }

  /** Removes a store, ours or a peer's, with what a peer left mounted in it. */
  async clear(...names: string[]): Promise<void> {
    for (const name of names) {
      await run(['umount', this.path(name, 'overlay')]).catch(() => undefined);
      await rm(this.path(name), { recursive: true, force: true });
    }
  }

  async close(): Promise<void> {
    for (const work of this.#closing) await work();
    await this.clear('peer');
    await rm(this.folder, { recursive: true, force: true });
  }
}
