import { createHash } from 'node:crypto';
import { finishDigest } from '../../oci/index.ts';
import { loadSyscalls } from '../../system/index.ts';
import type { AppliedLayer, ApplyOptions } from '../contract.ts';
import { updateHash } from '../hashing.ts';
import { defaultMaxSize, TarReader } from '../tar/reader.ts';
import { Applier } from './applier.ts';

/** What came of putting a layer on disk. */
export type Placed = Omit<AppliedLayer, 'diffId' | 'size'>;

/** Hashes the plain bytes of a layer and puts it on disk, here or in other threads. */
export interface Placer {
  /** The bytes are only good during the call, and afterwards not the caller's any more if they are in `memory`. */
  write(bytes: Buffer): void;
  /** Where to put bytes for them not to be copied, if there is room. */
  memory?(): Buffer | undefined;
  /** Where they are taken elsewhere: resolves when more are welcome, and throws what went wrong there. */
  room?(): Promise<void>;
  finish(): PlacedLayer | Promise<PlacedLayer>;
  close(): void;
}

export type PlacedLayer = Omit<AppliedLayer, 'size'>;

/** Puts a layer on disk from its plain tar, blocking its thread. */
export class TarPlacer {
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

/** Does both in the calling thread. */
export class NearPlacer implements Placer {
  readonly #hash = createHash('sha256');
  readonly #placer: TarPlacer;

  constructor(dir: string, options: ApplyOptions) {
    this.#placer = new TarPlacer(dir, options);
  }

  write(bytes: Buffer): void {
    updateHash(this.#hash, bytes);
    this.#placer.write(bytes);
  }

  finish(): PlacedLayer {
    return { ...this.#placer.finish(), diffId: finishDigest(this.#hash) };
  }

  close(): void {
    this.#placer.close();
  }
}
