import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

/** What a piece of content is, its digest and its size in bytes (image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** The content itself, verified against `digest`. */
  readonly data?: Uint8Array;
  readonly artifactType?: string;
  /** In an index: what the manifest is for. */
  readonly platform?: Platform;
}
