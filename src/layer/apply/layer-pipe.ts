import { createHash } from 'node:crypto';
import { finishDigest } from '../../oci/index.ts';
import { loadSyscalls } from '../../system/index.ts';
import { createDecompressor } from '../compression/decompress.ts';
import type { AppliedLayer, ApplyOptions } from '../contract.ts';
import { LayerError } from '../error.ts';
import { updateHash } from '../hashing.ts';
import { defaultMaxSize, TarReader } from '../tar/reader.ts';
import { Applier } from './applier.ts';

/**
 * One layer on its way to disk: decompressed, hashed and applied in one pass. A promise is returned only where Node's quick
 * way to decompress does not work.
 */
export class LayerPipe {
  readonly #hash = createHash('sha256');
  readonly #applier: Applier;
  readonly #reader: TarReader;
  readonly #maxSize: number;
  readonly #decompressor = createDecompressor((bytes) => this.#plain(bytes));
  #size = 0;

  constructor(dir: string, options: ApplyOptions) {
    this.#maxSize = options.maxSize ?? defaultMaxSize;
    this.#applier = new Applier(dir, options, loadSyscalls);
    this.#reader = new TarReader(this.#applier, { maxSize: this.#maxSize });
  }

  write(chunk: Buffer): void | Promise<void> {
    return this.#decompressor.write(chunk);
  }

  async finish(): Promise<AppliedLayer> {
    await this.#decompressor.end();
    this.#reader.end();
    this.#applier.finish();
    return {
      diffId: finishDigest(this.#hash),
      size: this.#size,
      entries: this.#applier.entries,
      warnings: [...new Set([...this.#reader.warnings, ...this.#applier.warnings])],
    };
  }

  close(): void {
    this.#decompressor.close();
    this.#applier.close();
  }

  #plain(bytes: Buffer): void {
    this.#size += bytes.length;
    if (this.#size > this.#maxSize) {
      throw new LayerError('TOO_LARGE', `the layer unpacks to more than the ${this.#maxSize} bytes allowed`);
    }
    updateHash(this.#hash, bytes);
    this.#reader.write(bytes);
  }
}

/**
 * Applies a layer, compressed or not, to the folder `dir`. The folder must be private to the caller and is to be thrown away on
 * failure. Blocks its thread while it works: for worker threads and tests; others use `applyInWorker`.
 * @throws LayerError
 */
export async function applyLayer(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  dir: string,
  options: ApplyOptions,
): Promise<AppliedLayer> {
  const pipe = new LayerPipe(dir, options);
  try {
    for await (const chunk of source) {
      options.signal?.throwIfAborted();
      await pipe.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    }
    return await pipe.finish();
  } finally {
    pipe.close();
  }
}
