import type { Readable } from 'node:stream';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';

/** A place that holds OCI content and names some of it: a registry repository, a layout, the local store, memory. */
export interface Target extends ContentReader, ContentWriter, References {
  /** How people call this place, for messages: `docker.io/library/debian`, `oci:/tmp/layout`. */
  readonly label: string;
  /** Pieces of content that are best taken from here at once; whoever copies decides unless given. */
  readonly readsAtOnce?: number | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface FetchOptions extends CallOptions {
  /** First byte wanted; 0 unless given. A partial stream is not verified. */
  readonly offset?: number | undefined;
  /** Whoever reads checks the bytes anyway: a place that would hash them for that alone need not. */
  readonly unverified?: boolean | undefined;
}

/** Opens content from a byte on. It can be called again, for instance after a stream broke; nobody has verified what it gives. */
export type ContentSource = (offset: number) => Promise<Readable>;

/**
 * What a place must know to go on with content that it has received in part, kept between processes. `state` is the place's own text
 * and may hold a secret.
 */
export interface TransferMemory {
  /** What was kept last, if nobody else is at it; whoever takes it says later what became of it. */
  take(place: string, digest: Digest): string | undefined;
  keep(place: string, digest: Digest, state: string): void;
  forget(place: string, digest: Digest): void;
}

export interface PushFromOptions extends CallOptions {
  /** Hears how many bytes of the content the place has. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  readonly memory?: TransferMemory | undefined;
}

export interface ResolveOptions extends CallOptions {
  /** The document itself will be read next, most likely: a place may bring it at once, in the same request. */
  readonly reads?: boolean | undefined;
}

export interface ContentReader {
  /**
   * Streams the content of `descriptor`; the stream fails with `DIGEST_MISMATCH` or `SIZE_MISMATCH` before its end if
   * the bytes are not those described.
   * @throws OciError NOT_FOUND
   */
  fetch(descriptor: Descriptor, options?: FetchOptions): Promise<Readable>;
  exists(descriptor: Descriptor, options?: CallOptions): Promise<boolean>;
}

export interface ContentWriter {
  /**
   * Stores `content` under `descriptor`. Resolves when it is complete, verified and visible; on failure nothing is.
   * Pushing what exists is success. A manifest's children must be there before it.
   * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH
   */
  push(descriptor: Descriptor, content: Readable | Uint8Array, options?: CallOptions): Promise<void>;
  /**
   * As `push`, of content that can be read from any byte on: a place that has a part of it already, or that loses its connection, asks
   * for the rest. What fails otherwise than by wrong bytes may leave that part for the next time.
   * @throws as `push`
   */
  pushFrom?(descriptor: Descriptor, source: ContentSource, options?: PushFromOptions): Promise<void>;
  /**
   * Stores a manifest or index and points `reference` at it in one step; as `push` and `tag`.
   * @throws as `push`
   */
  pushTagged?(
    descriptor: Descriptor,
    content: Uint8Array,
    options: CallOptions & { readonly reference: string },
  ): Promise<void>;
  /**
   * Takes `descriptor` from another repository of the same place without moving bytes; false where that cannot be.
   * `from` is the label of a source Target.
   */
  mount?(descriptor: Descriptor, from: Target, options?: CallOptions): Promise<boolean>;
}

export interface References {
  /**
   * The manifest or index behind a tag or digest.
   * @throws OciError NOT_FOUND
   */
  resolve(reference: string, options?: ResolveOptions): Promise<Descriptor>;
  /** Points `reference` at `descriptor`, which must be there. */
  tag(descriptor: Descriptor, reference: string, options?: CallOptions): Promise<void>;
  /** Manifests whose subject is `digest`; places without referrers give none. */
  referrers(digest: Digest, artifactType?: string, options?: CallOptions): Promise<readonly Descriptor[]>;
}
