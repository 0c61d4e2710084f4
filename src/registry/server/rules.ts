import type { Digest } from '../../oci/index.ts';
import type { RepositoryStorage } from './storage/storage.ts';

/** What a registry lets its clients do, as plain data. Whatever is left out has the default that its docstring names. */
export interface RegistryRules {
  /** Nothing may be written or deleted; false unless given. */
  readonly readOnly?: boolean | undefined;
  /** Which deletions are possible; all unless given. */
  readonly deletion?: DeletionRules | undefined;
  /** Manifests may name content that is not here ("sparse" images and indexes); false unless given. */
  readonly sparse?: boolean | undefined;
  /** Bytes that each chunk of an upload but the last must have, told as OCI-Chunk-Min-Length; none unless given. */
  readonly chunkMinLength?: number | undefined;
  /** Bytes of one manifest; 8 MiB unless given. */
  readonly largestManifest?: number | undefined;
  /** Entries of one page of tags, repositories or referrers where the client asks for no number, and at most; 10,000 unless given. */
  readonly pageSize?: number | undefined;
  /** `/metrics` tells what Prometheus collects; false unless given. */
  readonly metrics?: boolean | undefined;
  /** There is a list of referrers; true unless given. Without it, nothing tells of subjects either. */
  readonly referrers?: boolean | undefined;
  /** Asked before a manifest is stored; what it throws refuses the manifest. */
  readonly checkManifest?: ((put: ManifestPut) => Promise<void> | void) | undefined;
}

/** A manifest that somebody wants to store. */
export interface ManifestPut {
  readonly name: string;
  /** A tag or digest, as in the path. */
  readonly reference: string;
  readonly digest: Digest;
  readonly content: Buffer;
  readonly contentType: string | undefined;
  readonly repository: RepositoryStorage;
}

export interface DeletionRules {
  readonly tags: boolean;
  readonly manifests: boolean;
  readonly blobs: boolean;
}

/** `RegistryRules` with nothing left out. */
export interface CompleteRules {
  readonly readOnly: boolean;
  readonly deletion: DeletionRules;
  readonly sparse: boolean;
  readonly chunkMinLength: number;
  readonly largestManifest: number;
  readonly pageSize: number;
  readonly metrics: boolean;
  readonly referrers: boolean;
  readonly checkManifest: ((put: ManifestPut) => Promise<void> | void) | undefined;
}

export function completeRules(rules: RegistryRules): CompleteRules {
  return {
    readOnly: rules.readOnly ?? false,
    deletion: rules.deletion ?? { tags: true, manifests: true, blobs: true },
    sparse: rules.sparse ?? false,
    chunkMinLength: rules.chunkMinLength ?? 0,
    largestManifest: rules.largestManifest ?? 8 * 1024 * 1024,
    pageSize: rules.pageSize ?? 10_000,
    metrics: rules.metrics ?? false,
    referrers: rules.referrers ?? true,
    checkManifest: rules.checkManifest,
  };
}
