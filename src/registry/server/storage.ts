import type { Readable } from 'node:stream';
import type { Descriptor, Digest } from '../../oci/index.ts';

/** Where the embedded registry keeps its repositories. What a promise says is stored is synced to disk. */
export interface RegistryStorage {
  /** Names of all repositories that hold something, sorted. */
  repositories(): Promise<readonly string[]>;
  /** `name` fits the specification's expression; the repository need not be there. */
  repository(name: string): RepositoryStorage;
  /** A new file for bytes that nobody has vouched for yet. */
  startUpload(): Promise<UploadFile>;
}

export interface RepositoryStorage {
  exists(): Promise<boolean>;
  blob(digest: Digest): Promise<StoredBlob | undefined>;
  /** Makes an upload that was verified against `digest` a blob; the upload is used up. */
  commitBlob(digest: Digest, upload: UploadFile): Promise<void>;
  /** Takes a blob over from another repository; false if it is not there. */
  mountBlob(digest: Digest, from: string): Promise<boolean>;
  deleteBlob(digest: Digest): Promise<boolean>;

  manifest(digest: Digest): Promise<StoredManifest | undefined>;
  hasManifest(digest: Digest): Promise<boolean>;
  putManifest(digest: Digest, manifest: StoredManifest): Promise<void>;
  /** Deletes a manifest, the tags that point at it, and its entry among the referrers of its subject. */
  deleteManifest(digest: Digest): Promise<boolean>;

  /** All tags, sorted. */
  tags(): Promise<readonly string[]>;
  tag(name: string): Promise<Digest | undefined>;
  putTag(name: string, digest: Digest): Promise<void>;
  deleteTag(name: string): Promise<boolean>;

  referrers(subject: Digest): Promise<readonly Descriptor[]>;
}

export interface StoredBlob {
  readonly size: number;
  /** Streams the bytes from `start` to `end`, both included. */
  read(start: number, end: number): Readable;
}

export interface StoredManifest {
  readonly mediaType: string;
  readonly content: Buffer;
  /** Set where the manifest has a subject. */
  readonly referrer?: { readonly subject: Digest; readonly entry: Descriptor } | undefined;
}

/** Bytes on their way in. */
export interface UploadFile {
  readonly path: string;
  append(chunk: Uint8Array): Promise<void>;
  /** Streams what was appended. */
  read(): Readable;
  /** Flushes to disk and closes. */
  finish(): Promise<void>;
  discard(): Promise<void>;
}
