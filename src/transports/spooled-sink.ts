import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { CallOptions, Descriptor, Digest, FetchOptions } from '../oci/index.ts';
import type { LayoutTarget } from './layout-target.ts';
import type { TransportSink } from './transport.ts';

export interface SpooledSinkState {
  readonly label: string;
  /** Of its own; it goes away at the end. */
  readonly folder: string;
  /** Below `folder`. */
  readonly layout: LayoutTarget;
  /** What a name is called where names have a form of their own; itself unless given. */
  readonly nameOf?: (reference: string) => string;
  /** Makes of the layout what is wanted, at its place. */
  readonly commit: (options: CallOptions) => Promise<void>;
}

/** Something that is made of a whole image: its parts wait in a layout, since a tar must know sizes and order before it is written. */
export class SpooledSink implements TransportSink {
  readonly label: string;
  readonly #state: SpooledSinkState;

  constructor(state: SpooledSinkState) {
    this.label = state.label;
    this.#state = state;
  }

  fetch(descriptor: Descriptor, options?: FetchOptions): Promise<Readable> {
    return this.#state.layout.fetch(descriptor, options);
  }

  exists(descriptor: Descriptor): Promise<boolean> {
    return this.#state.layout.exists(descriptor);
  }

  push(descriptor: Descriptor, content: Readable | Uint8Array, options?: CallOptions): Promise<void> {
    return this.#state.layout.push(descriptor, content, options);
  }

  resolve(reference: string, options?: CallOptions): Promise<Descriptor> {
    return this.#state.layout.resolve(reference, options);
  }

  tag(descriptor: Descriptor, reference: string, options?: CallOptions): Promise<void> {
    return this.#state.layout.tag(descriptor, this.#state.nameOf?.(reference) ?? reference, options);
  }

  referrers(digest: Digest, artifactType?: string, options?: CallOptions): Promise<readonly Descriptor[]> {
    return this.#state.layout.referrers(digest, artifactType, options);
  }

  async commit(options: CallOptions = {}): Promise<void> {
    await this.#state.commit(options);
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#state.folder, { recursive: true, force: true });
  }
}
