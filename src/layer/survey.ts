import { createHash } from 'node:crypto';
import { type Digest, finishDigest } from '../oci/index.ts';
import { type CompressionFound, createDecompressor } from './compression/decompress.ts';
import { LayerError } from './error.ts';
import { updateHash } from './hashing.ts';
import { defaultMaxSize, TarReader } from './tar/reader.ts';

/** What a layer's blob turns out to be, read to its end. */
export interface LayerFacts {
  /** The bytes as they came. */
  readonly blob: { readonly digest: Digest; readonly size: number };
  readonly compression: CompressionFound;
  readonly diffId: Digest;
  /** Bytes of the tar. */
  readonly diffSize: number;
  readonly entries: number;
  /** Things accepted but worth saying, for people. */
  readonly warnings: readonly string[];
}

/** Reads a layer and keeps nothing of it: decompressed, hashed twice, its tar parsed. */
export class LayerSurvey {
  readonly #packed = createHash('sha256');
  readonly #plain = createHash('sha256');
  readonly #reader = new TarReader({ entry: () => void this.#entries++, data() {}, hole() {}, endEntry() {} });
  readonly #decompressor = createDecompressor((bytes) => this.#take(bytes));
  #entries = 0;
  #size = 0;
  #diffSize = 0;

  write(chunk: Buffer): void | Promise<void> {
    updateHash(this.#packed, chunk);
    this.#size += chunk.length;
    return this.#decompressor.write(chunk);
  }

  async finish(): Promise<LayerFacts> {
    await this.#decompressor.end();
    this.#reader.end();
    return {
      blob: { digest: finishDigest(this.#packed), size: this.#size },
      compression: this.#decompressor.found ?? 'none',
      diffId: finishDigest(this.#plain),
      diffSize: this.#diffSize,
      entries: this.#entries,
      warnings: [...new Set(this.#reader.warnings)],
    };
  }

  close(): void {
    this.#decompressor.close();
  }

  #take(bytes: Buffer): void {
    this.#diffSize += bytes.length;
    if (this.#diffSize > defaultMaxSize)
      throw new LayerError('TOO_LARGE', `the layer unpacks to more than the ${defaultMaxSize} bytes allowed`);
    updateHash(this.#plain, bytes);
    this.#reader.write(bytes);
  }
}
