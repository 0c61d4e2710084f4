import type { CallOptions, Descriptor, Digest, Target } from '../oci/index.ts';
import type { NamedManifest } from './layout-index.ts';

/** A layout or archive opened for reading; `await using` closes it. */
export interface TransportSource extends Target, AsyncDisposable {
  /** Every manifest that it lists, with its names. */
  list(): Promise<readonly NamedManifest[]>;
  /** What a blob is that is known by its digest alone. @throws OciError NOT_FOUND */
  describeBlob(digest: Digest, options?: CallOptions): Promise<Descriptor>;
  /** Takes a name away; what it stood for stays. @throws OciError NOT_FOUND */
  untag?(name: string, options?: CallOptions): Promise<void>;
}

/** A layout or archive being written. Disposing an archive without `commit` leaves nothing behind. */
export interface TransportSink extends Target, AsyncDisposable {
  /** Makes what was pushed and tagged visible at its place; to be called once, last. */
  commit(options?: CallOptions): Promise<void>;
}
