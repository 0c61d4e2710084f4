import type { Descriptor, Digest } from '../../oci/index.ts';

/** A finished step as a cache from elsewhere tells it. Who can write that cache says what the key stands for. */
export interface ImportedRecord {
  readonly key: Digest;
  /** Named parts of the key, hashed: a miss can name the part that differs, and no value travels. */
  readonly parts: Readonly<Record<string, string>>;
  readonly diffId: Digest;
  readonly parent: Digest | undefined;
  /** The blob that is said to hold the layer; undefined: the cache tells what the step gave, but does not have it. */
  readonly blob: Descriptor | undefined;
  /** RFC 3339. */
  readonly created: string | undefined;
  /** Milliseconds that the step took. */
  readonly duration: number | undefined;
}

/** What one cache from elsewhere offers to a build. */
export interface ImportedCache {
  /** How people call it. */
  readonly label: string;
  /** Where its blobs are had, as the store keeps it; see `openLayerSource`. */
  readonly source: string;
  readonly records: ReadonlyMap<Digest, ImportedRecord>;
  /** By `factName`. */
  readonly facts: ReadonlyMap<string, string>;
}

/** A fact by its kind and key, as one text. */
export function factName(kind: string, key: string): string {
  return `${kind} ${key}`;
}
