import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { algorithmOf, type Descriptor, type Digest, hexOf, isDigest, parseDescriptor } from '../../oci/index.ts';
import { hasCode, linkDurably, moveDurably, removeDurably, writeDurably } from './durable.ts';
import type { RepositoryStorage, StoredBlob, StoredManifest, UploadFile } from './storage.ts';

export interface DiskRepositoryPlace {
  readonly root: string;
  /** On the same file system; half-written files live there. */
  readonly uploads: string;
  readonly name: string;
}

/** What is kept of a manifest beside its bytes; its being there is what makes the manifest be there. */
interface ManifestRecord {
  readonly mediaType: string;
  readonly subject?: string;
}

/**
 *     _blobs/<algorithm>/<hex>                           hard link to the common blob
 *     _manifests/<algorithm>/<hex>                       the bytes
 *     _manifests/<algorithm>/<hex>.json                  media type and subject, written after the bytes
 *     _tags/<tag>                                        the digest
 *     _referrers/<algorithm>/<hex>/<algorithm>-<hex>     descriptor of a manifest that names this subject
 */
export class DiskRepository implements RepositoryStorage {
  readonly #place: DiskRepositoryPlace;

  constructor(place: DiskRepositoryPlace) {
    this.#place = place;
  }

  async exists(): Promise<boolean> {
    return (await isThere(this.#own('_manifests'))) || (await isThere(this.#own('_blobs')));
  }

  async blob(digest: Digest): Promise<StoredBlob | undefined> {
    const path = this.#own('_blobs', digest);
    const size = await sizeOf(path);
    if (size === undefined) return undefined;
    return { size, read: (start, end) => createReadStream(path, { start, end, highWaterMark: 256 * 1024 }) };
  }

  async commitBlob(digest: Digest, upload: UploadFile): Promise<void> {
    await upload.finish();
    const common = this.#common(digest);
    if (await isThere(common)) await upload.discard();
    else await moveDurably(upload.path, common);
    await linkDurably(common, this.#own('_blobs', digest));
  }

  async mountBlob(digest: Digest, from: string): Promise<boolean> {
    const source = join(this.#place.root, from, '_blobs', algorithmOf(digest), hexOf(digest));
    try {
      await linkDurably(source, this.#own('_blobs', digest));
      return true;
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
  }

  async deleteBlob(digest: Digest): Promise<boolean> {
    if (!(await removeDurably(this.#own('_blobs', digest)))) return false;
    // only the common name is left: nobody needs the bytes. Who links it just now keeps them, through a link of his own
    const common = this.#common(digest);
    const links = (await stat(common).catch(() => undefined))?.nlink;
    if (links === 1) await removeDurably(common);
    return true;
  }

  async manifest(digest: Digest): Promise<StoredManifest | undefined> {
    const record = await this.#record(digest);
    if (record === undefined) return undefined;
    const content = await readOrNothing(this.#own('_manifests', digest));
    return content === undefined ? undefined : { mediaType: record.mediaType, content };
  }

  hasManifest(digest: Digest): Promise<boolean> {
    return isThere(this.#recordPath(digest));
  }

  async putManifest(digest: Digest, manifest: StoredManifest): Promise<void> {
    const { mediaType, content, referrer } = manifest;
    const record: ManifestRecord = { mediaType, ...(referrer === undefined ? {} : { subject: referrer.subject }) };
    await this.#write(this.#own('_manifests', digest), content);
    await this.#write(this.#recordPath(digest), JSON.stringify(record));
    if (referrer === undefined) return;
    await this.#write(this.#referrerPath(referrer.subject, digest), JSON.stringify(referrer.entry));
  }

  async deleteManifest(digest: Digest): Promise<boolean> {
    const record = await this.#record(digest);
    if (record === undefined) return false;
    for (const tag of await this.tags()) if ((await this.tag(tag)) === digest) await this.deleteTag(tag);
    if (isDigest(record.subject)) await removeDurably(this.#referrerPath(record.subject, digest));
    await removeDurably(this.#recordPath(digest));
    await removeDurably(this.#own('_manifests', digest));
    return true;
  }

  async tags(): Promise<readonly string[]> {
    return (await namesIn(this.#own('_tags'))).sort();
  }

  async tag(name: string): Promise<Digest | undefined> {
    const text = (await readOrNothing(join(this.#own('_tags'), name)))?.toString('utf8');
    return isDigest(text) ? text : undefined;
  }

  putTag(name: string, digest: Digest): Promise<void> {
    return this.#write(join(this.#own('_tags'), name), digest);
  }

  deleteTag(name: string): Promise<boolean> {
    return removeDurably(join(this.#own('_tags'), name));
  }

  async referrers(subject: Digest): Promise<readonly Descriptor[]> {
    const directory = this.#own('_referrers', subject);
    const entries: Descriptor[] = [];
    for (const name of (await namesIn(directory)).sort()) {
      const text = await readOrNothing(join(directory, name));
      if (text !== undefined) entries.push(parseDescriptor(JSON.parse(text.toString('utf8')), name));
    }
    return entries;
  }

  async #record(digest: Digest): Promise<ManifestRecord | undefined> {
    const text = await readOrNothing(this.#recordPath(digest));
    return text === undefined ? undefined : (JSON.parse(text.toString('utf8')) as ManifestRecord);
  }

  #write(path: string, content: Uint8Array | string): Promise<void> {
    return writeDurably(path, content, this.#place.uploads);
  }

  #own(part: string, digest?: Digest): string {
    const directory = join(this.#place.root, this.#place.name, part);
    return digest === undefined ? directory : join(directory, algorithmOf(digest), hexOf(digest));
  }

  #recordPath(digest: Digest): string {
    return `${this.#own('_manifests', digest)}.json`;
  }

  #referrerPath(subject: Digest, digest: Digest): string {
    return join(this.#own('_referrers', subject), `${algorithmOf(digest)}-${hexOf(digest)}`);
  }

  #common(digest: Digest): string {
    return join(this.#place.root, '_blobs', algorithmOf(digest), hexOf(digest));
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await sizeOf(path)) !== undefined;
}

async function readOrNothing(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
