import type { Digest } from '../../oci/index.ts';

/** What is wrong, for programs. */
export type FindingCode =
  /** Named, and not there. */
  | 'missing'
  /** Bytes that are not those of the digest or size. */
  | 'corrupt'
  /** A document or layer that cannot be read. */
  | 'malformed'
  /** Two documents that say different things. */
  | 'inconsistent'
  /** Accepted, but other tools may not. */
  | 'unusual'
  /** In a layout, and named by nothing. */
  | 'unused';

export interface Finding {
  /** Warnings do not make an image invalid. */
  readonly severity: 'error' | 'warning';
  readonly code: FindingCode;
  /** What it is about: a manifest, config or layer, or a file of a layout. */
  readonly subject: Digest | string;
  readonly message: string;
}

/** What was looked at and what was found. */
export interface ValidationReport {
  /** No finding is an error. */
  readonly valid: boolean;
  readonly findings: readonly Finding[];
  readonly documents: number;
  readonly blobs: number;
  /** Of the blobs that were read. */
  readonly bytes: number;
}
