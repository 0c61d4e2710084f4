import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve as absolute } from 'node:path';
import { Readable } from 'node:stream';
import {
  type CallOptions,
  type Descriptor,
  type Digest,
  type FetchOptions,
  fetchBytes,
  type ImageIndex,
  isDocumentType,
  OciError,
  parseManifestOrIndex,
  referrerOf,
  serializeIndex,
  verifiedChunks,
} from '../oci/index.ts';
import { TransportError } from './error.ts';
import { folderFiles, type LayoutFiles } from './layout-files.ts';
import { emptyIndex, type NamedManifest, readIndex, withEntry, withoutName } from './layout-index.ts';
import { withFolderLock } from './layout-lock.ts';
import { blobPath, LayoutReader } from './layout-reader.ts';
import { LayoutWriting } from './layout-writing.ts';
import type { TransportSink, TransportSource } from './transport.ts';
import { writeFileWhole } from './write-file.ts';

export interface LayoutOptions {
  /** Makes the layout if there is none; else its absence is an error. */
  readonly create?: boolean;
  /** A folder that nobody else sees and that need not survive a crash: neither locked nor synced. */
  readonly scratch?: boolean;
}

/** Ours within a layout: blobs being written, and the lock. On the same file system, so that a rename finishes a blob. */
const privateFolder = '.slipway';
/** Milliseconds after which an unfinished blob belongs to a process that died. */
const staleAfter = 24 * 60 * 60 * 1000;

/**
 * Opens an OCI image layout folder (image-spec, image-layout.md). The empty name lists a manifest without a tag, and
 * resolves to the only image.
 * @throws TransportError NOT_A_LAYOUT, INVALID_LAYOUT
 */
export async function openLayout(path: string, options: LayoutOptions = {}): Promise<LayoutTarget> {
  const root = absolute(path);
  const target = new LayoutTarget(root, options.scratch === true);
  if (options.create === true) await target.create();
  await target.check();
  return target;
}

/** A layout folder as a Target. Made by `openLayout`. Two processes may write to one layout. */
export class LayoutTarget implements TransportSource, TransportSink {
  readonly label: string;
  readonly #root: string;
  readonly #scratch: boolean;
  readonly #files: LayoutFiles;
  readonly #reader: LayoutReader;
  #lastUpdate: Promise<unknown> = Promise.resolve();

  constructor(root: string, scratch: boolean) {
    this.label = `oci:${root}`;
    this.#root = root;
    this.#scratch = scratch;
    this.#files = folderFiles(root, this.label);
    this.#reader = new LayoutReader(this.#files);
  }

  check(): Promise<void> {
    return this.#reader.check();
  }

  /** Puts the files of an empty layout where there are none; another folder's content is left alone. */
  async create(): Promise<void> {
    if (await isFile(join(this.#root, 'oci-layout'))) return;
    const there = await readdir(this.#root).catch(() => []);
    const foreign = there.find((name) => !['blobs', 'index.json', privateFolder].includes(name));
    if (foreign !== undefined) {
      throw new TransportError('NOT_A_LAYOUT', `${this.#root} is no OCI layout, and not empty: it has ${foreign}`);
    }
    await mkdir(join(this.#root, 'blobs', 'sha256'), { recursive: true });
    await this.#update(async () => {
      if (!(await isFile(join(this.#root, 'index.json'))))
        await this.#writeFile('index.json', [serializeIndex(emptyIndex)]);
      // Last: with it, it is a layout.
      await this.#writeFile('oci-layout', [Buffer.from('{"imageLayoutVersion":"1.0.0"}')]);
    }, undefined);
  }

  fetch(descriptor: Descriptor, options: FetchOptions = {}): Promise<Readable> {
    return this.#reader.fetch(descriptor, options);
  }

  exists(descriptor: Descriptor): Promise<boolean> {
    return this.#reader.exists(descriptor);
  }

  async push(descriptor: Descriptor, content: Readable | Uint8Array, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    if (await this.exists(descriptor)) {
      if (content instanceof Readable) content.destroy();
    } else {
      await this.#writeFile(blobPath(descriptor.digest), verifiedChunks(content, descriptor, options));
    }
    // Also for one that was there: whoever wrote it may have died before it was listed.
    if (isDocumentType(descriptor.mediaType)) await this.#listReferrer(descriptor, options);
  }

  resolve(reference: string, options: CallOptions = {}): Promise<Descriptor> {
    return this.#reader.resolve(reference, options);
  }

  /** All that index.json lists. */
  list(): Promise<readonly NamedManifest[]> {
    return this.#reader.list();
  }

  async tag(descriptor: Descriptor, reference: string, options: CallOptions = {}): Promise<void> {
    if (!/^[ -~]{0,1024}$/.test(reference)) {
      throw new TransportError('INVALID_LOCATION', `not a name for an image in a layout: ${JSON.stringify(reference)}`);
    }
    if (!(await this.exists(descriptor))) {
      throw new OciError('NOT_FOUND', `${descriptor.digest} is not in ${this.label}`);
    }
    await this.#change((index) => withEntry(index, descriptor, reference), options);
  }

  async untag(name: string, options: CallOptions = {}): Promise<void> {
    await this.#reader.resolve(name, options);
    await this.#change((index) => withoutName(index, name), options);
  }

  describeBlob(digest: Digest): Promise<Descriptor> {
    return this.#reader.describeBlob(digest);
  }

  referrers(digest: Digest, artifactType?: string, options: CallOptions = {}): Promise<readonly Descriptor[]> {
    return this.#reader.referrers(digest, artifactType, options);
  }

  /**
   * Announces a writer that may delete what no name leads to, and whose own blobs nobody deletes before it names them. Begin before
   * the first push, dispose at the end.
   */
  beginWriting(): Promise<LayoutWriting> {
    return LayoutWriting.begin({
      locks: join(this.#root, privateFolder, 'writers'),
      blobs: join(this.#root, 'blobs', 'sha256'),
      reader: this.#reader,
      alone: (work) => this.#update(work, undefined),
    });
  }

  /** What a layout holds is visible as it comes. */
  async commit(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  /** index.json is all the list there is of what refers to what, so such a manifest stands in it, without a name. */
  async #listReferrer(descriptor: Descriptor, options: CallOptions): Promise<void> {
    const document = parseManifestOrIndex(await fetchBytes(this, descriptor, options), descriptor.mediaType);
    const entry = referrerOf(descriptor, document)?.entry;
    if (entry === undefined) return;
    const { annotations: _, ...lean } = entry;
    await this.#change((index) => withEntry(index, lean, ''), options);
  }

  #change(edit: (index: ImageIndex) => ImageIndex, { signal }: CallOptions): Promise<void> {
    return this.#update(async () => {
      const before = await readIndex(this.#files);
      const after = edit(before);
      if (after !== before) await this.#writeFile('index.json', [serializeIndex(after)]);
    }, signal);
  }

  /** One change after the other in this process, and one process at a time. */
  async #update(work: () => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const turn = this.#lastUpdate.then(async () => {
      if (this.#scratch) return work();
      await mkdir(join(this.#root, privateFolder), { recursive: true });
      return withFolderLock(join(this.#root, privateFolder), signal, async () => {
        await this.#removeStale();
        return work();
      });
    });
    this.#lastUpdate = turn.catch(() => undefined);
    return turn;
  }

  #writeFile(path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const temporaryFolder = join(this.#root, privateFolder);
    return writeFileWhole(join(this.#root, path), chunks, { temporaryFolder, durable: !this.#scratch });
  }

  async #removeStale(): Promise<void> {
    const folder = join(this.#root, privateFolder);
    for (const name of await readdir(folder)) {
      if (!name.endsWith('.part')) continue;
      const path = join(folder, name);
      const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
      if (age > staleAfter) await rm(path, { force: true });
    }
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
