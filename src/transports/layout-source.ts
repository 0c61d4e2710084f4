import type { Readable } from 'node:stream';
import type { CallOptions, Descriptor, Digest, FetchOptions } from '../oci/index.ts';
import { TransportError } from './error.ts';
import type { NamedManifest } from './layout-index.ts';
import type { LayoutReader } from './layout-reader.ts';
import type { TransportSource } from './transport.ts';

/** What can be shown as the files of a layout, as a Target that is only read. */
export class LayoutSource implements TransportSource {
  readonly label: string;
  readonly #reader: LayoutReader;
  readonly #files: AsyncDisposable;

  constructor(label: string, reader: LayoutReader, files: AsyncDisposable) {
    this.label = label;
    this.#reader = reader;
    this.#files = files;
  }

  fetch(descriptor: Descriptor, options?: FetchOptions): Promise<Readable> {
    return this.#reader.fetch(descriptor, options);
  }

  exists(descriptor: Descriptor): Promise<boolean> {
    return this.#reader.exists(descriptor);
  }

  resolve(reference: string, options?: CallOptions): Promise<Descriptor> {
    return this.#reader.resolve(reference, options);
  }

  describeBlob(digest: Digest): Promise<Descriptor> {
    return this.#reader.describeBlob(digest);
  }

  list(): Promise<readonly NamedManifest[]> {
    return this.#reader.list();
  }

  referrers(digest: Digest, artifactType?: string, options?: CallOptions): Promise<readonly Descriptor[]> {
    return this.#reader.referrers(digest, artifactType, options);
  }

  async push(): Promise<never> {
    throw this.#readOnly();
  }

  async tag(): Promise<never> {
    throw this.#readOnly();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#files[Symbol.asyncDispose]());
  }

  #readOnly(): TransportError {
    return new TransportError('READ_ONLY', `${this.label} is open for reading; it is written whole`);
  }
}
