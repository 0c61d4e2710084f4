import type { Digest } from '../../oci/index.ts';
import { loadSyscalls } from '../../system/index.ts';
import type { ApplyOptions } from '../contract.ts';
import { defaultMaxSize, TarReader } from '../tar/reader.ts';
import { Applier } from './applier.ts';

/** What came of putting a layer on disk. */
export interface Placed {
  readonly entries: number;
  readonly warnings: readonly string[];
  /** Of the plain bytes, where they were hashed as well. */
  readonly diffId?: Digest;
}

/** Takes the plain bytes of a layer, here or in another thread. */
export interface Placer {
  readonly hashes?: boolean;
  /** The bytes are only good during the call, and afterwards not the caller's any more if they are in `memory`. */
  write(bytes: Buffer): void;
  /** Where to put bytes for them not to be copied, if there is room. */
  memory?(): Buffer | undefined;
  /** Where they are taken elsewhere: resolves when more are welcome, and throws what went wrong there. */
  room?(): Promise<void>;
  finish(): Placed | Promise<Placed>;
  close(): void;
}

/** Puts a layer on disk from its plain tar, blocking its thread. */
export class NearPlacer implements Placer {
  readonly #applier: Applier;
  readonly #reader: TarReader;

  constructor(dir: string, options: ApplyOptions) {
    this.#applier = new Applier(dir, options, loadSyscalls);
    this.#reader = new TarReader(this.#applier, { maxSize: options.maxSize ?? defaultMaxSize });
  }

  write(bytes: Buffer): void {
    this.#reader.write(bytes);
  }

  finish(): Placed {
    this.#reader.end();
    this.#applier.finish();
    return {
      entries: this.#applier.entries,
      warnings: [...new Set([...this.#reader.warnings, ...this.#applier.warnings])],
    };
  }

  close(): void {
    this.#applier.close();
  }
}
