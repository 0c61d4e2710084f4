import { Readable } from 'node:stream';
import type { Descriptor, Digest } from '../../../oci/index.ts';
import { ProtocolError } from '../protocol-error.ts';
import type {
  RegistryStorage,
  RepositoryStorage,
  StoredBlob,
  StoredManifest,
  UploadFile,
  UploadPlace,
} from './storage.ts';

export interface MemoryStorageOptions {
  /** Bytes of all content and uploads; 1 GiB unless given. */
  readonly limit?: number | undefined;
}

/** Keeps a registry in memory, for tests and short lives. */
export function openMemoryStorage(options: MemoryStorageOptions = {}): RegistryStorage {
  const room = new Room(options.limit ?? 1024 ** 3);
  const all = new Map<string, RepositoryData>();
  const uploads = new Map<string, MemoryUpload>();
  const keyOf = ({ name, id }: UploadPlace): string => `${name}@${id}`;
  return {
    description: 'memory',
    repositories: async () => {
      const there = [...all].filter(([, data]) => holdsSomething(data)).map(([name]) => name);
      return there.sort();
    },
    repository: (name) => new MemoryRepository(room, all, name),
    holds: async (digest) => room.content(digest) !== undefined,
    startUpload: async (place) => {
      const upload = new MemoryUpload(room, () => uploads.delete(keyOf(place)));
      uploads.set(keyOf(place), upload);
      return upload;
    },
    findUpload: async (place) => uploads.get(keyOf(place)),
    dropUploads: async (idle) => {
      const old = [...uploads.values()].filter(({ touched }) => touched <= Date.now() - idle);
      for (const upload of old) await upload.discard();
      return old.length;
    },
    usage: async () => room.used - sum([...uploads.values()].map(({ size }) => size)),
    settle: async () => {},
  };
}

/** The bytes that may be kept. Content that several repositories hold is counted, and kept, once. */
class Room {
  used = 0;
  readonly #limit: number;
  readonly #contents = new Map<
    Digest,
    { readonly chunks: readonly Buffer[]; readonly size: number; holders: number }
  >();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws ProtocolError DENIED */
  take(size: number): void {
    if (this.used + size > this.#limit) {
      throw new ProtocolError('DENIED', `the registry keeps ${this.#limit} bytes in memory, and they are used up`);
    }
    this.used += size;
  }

  free(size: number): void {
    this.used -= size;
  }

  /** Adds a holder to content; `chunks`, which were taken room for, are needed where it is new. False without them. */
  hold(digest: Digest, chunks?: readonly Buffer[]): boolean {
    const known = this.#contents.get(digest);
    if (known !== undefined) {
      known.holders += 1;
      if (chunks !== undefined) this.free(sizeOf(chunks));
      return true;
    }
    if (chunks === undefined) return false;
    this.#contents.set(digest, { chunks, size: sizeOf(chunks), holders: 1 });
    return true;
  }

  release(digest: Digest): void {
    const known = this.#contents.get(digest);
    if (known === undefined) return;
    known.holders -= 1;
    if (known.holders > 0) return;
    this.#contents.delete(digest);
    this.free(known.size);
  }

  content(digest: Digest): { readonly chunks: readonly Buffer[]; readonly size: number } | undefined {
    return this.#contents.get(digest);
  }
}

interface RepositoryData {
  readonly blobs: Set<Digest>;
  readonly manifests: Map<Digest, StoredManifest>;
  readonly tags: Map<string, Digest>;
}

function noData(): RepositoryData {
  return { blobs: new Set(), manifests: new Map(), tags: new Map() };
}

function holdsSomething({ blobs, manifests }: RepositoryData): boolean {
  return blobs.size + manifests.size > 0;
}

class MemoryRepository implements RepositoryStorage {
  readonly #room: Room;
  readonly #all: Map<string, RepositoryData>;
  readonly #name: string;

  constructor(room: Room, all: Map<string, RepositoryData>, name: string) {
    this.#room = room;
    this.#all = all;
    this.#name = name;
  }

  get #data(): RepositoryData {
    return this.#all.get(this.#name) ?? noData();
  }

  /** One that is only asked for is not kept, or names that are made up would fill the memory. */
  get #kept(): RepositoryData {
    const data = this.#data;
    this.#all.set(this.#name, data);
    return data;
  }

  async exists(): Promise<boolean> {
    return holdsSomething(this.#data);
  }

  async blob(digest: Digest): Promise<StoredBlob | undefined> {
    const content = this.#data.blobs.has(digest) ? this.#room.content(digest) : undefined;
    if (content === undefined) return undefined;
    return { size: content.size, read: (start, end) => Readable.from(slices(content.chunks, start, end)) };
  }

  async commitBlob(digest: Digest, upload: UploadFile): Promise<void> {
    if (!(upload instanceof MemoryUpload)) throw new TypeError('an upload of another storage');
    const chunks = upload.use();
    if (this.#data.blobs.has(digest)) this.#room.free(sizeOf(chunks));
    else this.#room.hold(digest, chunks);
    this.#kept.blobs.add(digest);
  }

  async mountBlob(digest: Digest, from: string): Promise<boolean> {
    if (this.#all.get(from)?.blobs.has(digest) !== true) return false;
    if (!this.#data.blobs.has(digest)) this.#room.hold(digest);
    this.#kept.blobs.add(digest);
    return true;
  }

  async deleteBlob(digest: Digest): Promise<boolean> {
    if (!this.#data.blobs.delete(digest)) return false;
    this.#room.release(digest);
    return true;
  }

  async manifest(digest: Digest): Promise<StoredManifest | undefined> {
    return this.#data.manifests.get(digest);
  }

  async hasManifest(digest: Digest): Promise<boolean> {
    return this.#data.manifests.has(digest);
  }

  async putManifest(digest: Digest, manifest: StoredManifest): Promise<void> {
    if (!this.#data.manifests.has(digest)) this.#room.take(manifest.content.length);
    this.#kept.manifests.set(digest, manifest);
  }

  async deleteManifest(digest: Digest): Promise<boolean> {
    const manifest = this.#data.manifests.get(digest);
    if (manifest === undefined) return false;
    for (const [tag, target] of this.#data.tags) if (target === digest) this.#data.tags.delete(tag);
    this.#data.manifests.delete(digest);
    this.#room.free(manifest.content.length);
    return true;
  }

  async tags(): Promise<readonly string[]> {
    return [...this.#data.tags.keys()].sort();
  }

  async tag(name: string): Promise<Digest | undefined> {
    return this.#data.tags.get(name);
  }

  async putTag(name: string, digest: Digest): Promise<void> {
    this.#kept.tags.set(name, digest);
  }

  async deleteTag(name: string): Promise<boolean> {
    return this.#data.tags.delete(name);
  }

  async referrers(subject: Digest): Promise<readonly Descriptor[]> {
    const entries = [...this.#data.manifests.values()].map(({ referrer }) => referrer);
    return entries.filter((each) => each?.subject === subject).flatMap((each) => each?.entry ?? []);
  }

  /** Nothing is collected here. */
  async keep(): Promise<void> {}

  async usage(): Promise<number> {
    const blobs = [...this.#data.blobs].map((digest) => this.#room.content(digest)?.size ?? 0);
    const manifests = [...this.#data.manifests.values()].map(({ content }) => content.length);
    return sum([...blobs, ...manifests]);
  }
}

class MemoryUpload implements UploadFile {
  touched = Date.now();
  #chunks: Buffer[] = [];
  #size = 0;
  readonly #room: Room;
  readonly #forget: () => void;

  constructor(room: Room, forget: () => void) {
    this.#room = room;
    this.#forget = forget;
  }

  get size(): number {
    return this.#size;
  }

  async append(chunk: Buffer): Promise<void> {
    this.#room.take(chunk.length);
    // A small part of a large buffer would keep all of it.
    this.#chunks.push(chunk.length * 2 < chunk.buffer.byteLength ? Buffer.from(chunk) : chunk);
    this.#size += chunk.length;
    this.touched = Date.now();
  }

  async read(start = 0, end = Infinity): Promise<Readable> {
    const parts: Buffer[] = [];
    let at = 0;
    for (const chunk of this.#chunks) {
      const [from, to] = [Math.max(0, start - at), Math.min(chunk.length, end - at + 1)];
      if (from < to) parts.push(chunk.subarray(from, to));
      at += chunk.length;
      if (at > end) break;
    }
    return Readable.from(parts);
  }

  async discard(): Promise<void> {
    this.#room.free(this.#size);
    this.use();
  }

  async leave(): Promise<void> {}

  /** Gives the bytes away, and the room that was taken for them. */
  use(): readonly Buffer[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#size = 0;
    this.#forget();
    return chunks;
  }
}

function sizeOf(chunks: readonly Buffer[]): number {
  return sum(chunks.map(({ length }) => length));
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

function* slices(chunks: readonly Buffer[], start: number, end: number): Generator<Buffer> {
  let at = 0;
  for (const chunk of chunks) {
    const from = Math.max(0, start - at);
    const to = Math.min(chunk.length, end + 1 - at);
    if (from < to) yield chunk.subarray(from, to);
    at += chunk.length;
  }
}
