import { createDecompressor, type Decompressor } from '../compression/decompress.ts';
import type { AppliedLayer, ApplyOptions } from '../contract.ts';
import { LayerError } from '../error.ts';
import { defaultMaxSize } from '../tar/reader.ts';
import { NearPlacer, type Placer } from './placer.ts';

/**
 * One layer on its way to disk: decompressed, hashed and placed in one pass. A promise is returned only where Node's quick
 * way to decompress does not work, and where another thread places.
 */
export class LayerPipe {
  readonly #placer: Placer;
  readonly #maxSize: number;
  readonly #decompressor: Decompressor;
  #size = 0;

  constructor(placer: Placer, { maxSize = defaultMaxSize }: Pick<ApplyOptions, 'maxSize'>) {
    this.#maxSize = maxSize;
    this.#placer = placer;
    this.#decompressor = createDecompressor((bytes) => this.#plain(bytes), placer.memory?.bind(placer));
  }

  write(chunk: Buffer): void | Promise<void> {
    return this.#placer.room === undefined ? this.#decompressor.write(chunk) : this.#paced(chunk);
  }

  async finish(): Promise<AppliedLayer> {
    await this.#decompressor.end();
    return { ...(await this.#placer.finish()), size: this.#size };
  }

  close(): void {
    this.#decompressor.close();
    this.#placer.close();
  }

  async #paced(chunk: Buffer): Promise<void> {
    for (const step of this.#decompressor.steps(chunk)) {
      await step;
      await this.#placer.room?.();
    }
  }

  #plain(bytes: Buffer): void {
    this.#size += bytes.length;
    if (this.#size > this.#maxSize) {
      throw new LayerError('TOO_LARGE', `the layer unpacks to more than the ${this.#maxSize} bytes allowed`);
    }
    this.#placer.write(bytes);
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
  const pipe = new LayerPipe(new NearPlacer(dir, options), options);
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
