import type { Readable, Writable } from 'node:stream';
import type { Descriptor, Digest } from '../../../oci/index.ts';

/** Where the embedded registry keeps its repositories. What a promise says is stored outlives the process, where anything does. */
export interface RegistryStorage {
  /** What it is, for people: a path, `memory`. */
  readonly description: string;
  /** Names of all repositories that hold something, sorted. */
  repositories(): Promise<readonly string[]>;
  /** `name` fits the specification's expression; the repository need not be there. */
  repository(name: string): RepositoryStorage;
  /** False where no repository has this blob. */
  holds(digest: Digest): Promise<boolean>;
  /** A new file for bytes that nobody has vouched for yet. */
  startUpload(place: UploadPlace): Promise<UploadFile>;
  /** An upload that an earlier process, or another one, has begun and not ended. */
  findUpload(place: UploadPlace): Promise<UploadFile | undefined>;
  /** Drops uploads that nobody has touched for so many milliseconds; says how many. */
  dropUploads(idle: number): Promise<number>;
  /** Bytes of all content, what several repositories share once; without uploads. */
  usage(): Promise<number>;
  /** Ends when all that is kept beside the content, such as an index for other programs, is written. */
  settle(): Promise<void>;
}

/** Which upload: its id is a secret of who began it, and holds in one repository alone. */
export interface UploadPlace {
  readonly name: string;
  /** A UUID. */
  readonly id: string;
}

export interface RepositoryStorage {
  exists(): Promise<boolean>;
  blob(digest: Digest): Promise<StoredBlob | undefined>;
  /** Makes an upload of this storage that was verified against `digest` a blob; the upload is used up. */
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

  /** Somebody has asked whether a blob or manifest is there, and counts on it for a while: it is no garbage. */
  keep(digest: Digest): Promise<void>;

  /** Bytes of all that it holds, shared or not. */
  usage(): Promise<number>;
}

export interface StoredBlob {
  readonly size: number;
  /** Streams the bytes from `start` to `end`, both included. */
  read(start: number, end: number): Readable;
  /** Writes them to `out`, which it does not end, where that can be done with less work than by `read`. */
  readonly send?: ((out: Writable, range: readonly [start: number, end: number]) => Promise<void>) | undefined;
}

export interface StoredManifest {
  readonly mediaType: string;
  readonly content: Buffer;
  /** Set where the manifest has a subject. */
  readonly referrer?: { readonly subject: Digest; readonly entry: Descriptor } | undefined;
}

/** Bytes on their way in. One caller at a time. */
export interface UploadFile {
  /** Bytes that have come in so far. */
  readonly size: number;
  /** Takes a chunk, perhaps to be written with the next ones. @throws what an earlier chunk failed with, too */
  append(chunk: Buffer): Promise<void>;
  /** Streams what was appended, from `start` to `end`, both included; all of it unless given. */
  read(start?: number, end?: number): Promise<Readable>;
  discard(): Promise<void>;
  /** Lets go of the upload without dropping its bytes, where it can be found again. */
  leave(): Promise<void>;
}
