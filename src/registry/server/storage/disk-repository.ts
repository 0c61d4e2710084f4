import { createReadStream } from 'node:fs';
import { readdir, readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { algorithmOf, type Descriptor, type Digest, hexOf, isDigest, parseDescriptor } from '../../../oci/index.ts';
import { commonBlobs, contentPath, repositoryPath, uploadsFolder } from './disk-paths.ts';
import { DiskUpload } from './disk-upload.ts';
import { hasCode, linkDurably, movedIfThere, removeDurably, writeDurably } from './durable.ts';
import { sendFile } from './send-file.ts';
import type { RepositoryStorage, StoredBlob, StoredManifest, UploadFile } from './storage.ts';

/** Milliseconds for which content counts as just asked for; far below what a collection leaves alone. */
const keptFresh = 10 * 60_000;
/** Where a collection of garbage puts records of manifests before it deletes them. */
const aside = '_condemned-manifests';

export interface DiskRepositoryPlace {
  readonly root: string;
  readonly name: string;
  /** Hears that tags or manifests have changed. */
  readonly changed: () => void;
}

/** What is kept of a manifest beside its bytes; its being there is what makes the manifest be there. */
export interface ManifestRecord {
  readonly mediaType: string;
  readonly size: number;
  readonly subject?: string | undefined;
  /** Its bytes were pushed as a blob too. */
  readonly blob?: boolean | undefined;
}

/**
 * An OCI image layout, with what the registry knows of it beside:
 *
 *     blobs/<algorithm>/<hex>                            content; a blob is a hard link to the common one
 *     index.json, oci-layout                             for other programs, written after the change (see LayoutViews)
 *     _manifests/<algorithm>/<hex>.json                  media type, size and subject, written after the bytes
 *     _tags/<tag>                                        the digest
 *     _referrers/<algorithm>/<hex>/<algorithm>-<hex>     descriptor of a manifest that names this subject
 *
 * Each fact is a file of its own that is there whole or not at all, so that several processes need no lock.
 */
export class DiskRepository implements RepositoryStorage {
  readonly #place: DiskRepositoryPlace;
  readonly path: string;

  constructor(place: DiskRepositoryPlace) {
    this.#place = place;
    this.path = repositoryPath(place.root, place.name);
  }

  async exists(): Promise<boolean> {
    return (await isThere(this.#own('_manifests'))) || (await isThere(this.#own('blobs')));
  }

  async blob(digest: Digest): Promise<StoredBlob | undefined> {
    const path = this.#content(digest);
    const size = await sizeOf(path);
    if (size === undefined) return undefined;
    const record = await this.record(digest);
    if (record !== undefined && record.blob !== true) return undefined;
    return {
      size,
      read: (start, end) => createReadStream(path, { start, end, highWaterMark: 256 * 1024 }),
      send: (out, range) => sendFile(path, out, range),
    };
  }

  async commitBlob(digest: Digest, upload: UploadFile): Promise<void> {
    if (!(upload instanceof DiskUpload)) throw new TypeError('an upload of another storage');
    await upload.finish();
    const common = contentPath(commonBlobs(this.#place.root), digest);
    const own = this.#content(digest);
    // The common content goes when nobody else links it, perhaps right now; our link must stand before the upload goes.
    while (!(await linkedIfThere(common, own))) await linkDurably(upload.path, common);
    await upload.discard();
    await this.keep(digest);
    await this.#markAsBlob(digest);
  }

  async mountBlob(digest: Digest, from: string): Promise<boolean> {
    const source = new DiskRepository({ ...this.#place, name: from });
    if ((await source.blob(digest)) === undefined) return false;
    if (!(await linkedIfThere(source.#content(digest), this.#content(digest)))) return false;
    await this.keep(digest);
    await this.#markAsBlob(digest);
    return true;
  }

  async deleteBlob(digest: Digest): Promise<boolean> {
    const record = await this.record(digest);
    if (record !== undefined) {
      if (record.blob !== true) return false;
      await this.#write(this.#recordPath(digest), JSON.stringify({ ...record, blob: undefined }));
      return true;
    }
    if (!(await removeDurably(this.#content(digest)))) return false;
    await this.#dropCommon(digest);
    return true;
  }

  async manifest(digest: Digest): Promise<StoredManifest | undefined> {
    const record = await this.record(digest);
    if (record === undefined) return undefined;
    const content = await readOrNothing(this.#content(digest));
    return content === undefined ? undefined : { mediaType: record.mediaType, content };
  }

  async hasManifest(digest: Digest): Promise<boolean> {
    return (await isThere(this.#recordPath(digest))) && (await isThere(this.#content(digest)));
  }

  async putManifest(digest: Digest, manifest: StoredManifest): Promise<void> {
    const { mediaType, content, referrer } = manifest;
    const known = await this.record(digest);
    const blob = known === undefined ? await isThere(this.#content(digest)) : known.blob === true;
    if (!(await isThere(this.#content(digest)))) await this.#write(this.#content(digest), content);
    const record: ManifestRecord = {
      mediaType,
      size: content.length,
      ...(referrer === undefined ? {} : { subject: referrer.subject }),
      ...(blob ? { blob } : {}),
    };
    await this.#write(this.#recordPath(digest), JSON.stringify(record));
    this.#place.changed();
    if (referrer === undefined) return;
    await this.#write(this.#referrerPath(referrer.subject, digest), JSON.stringify(referrer.entry));
  }

  async deleteManifest(digest: Digest): Promise<boolean> {
    if (!(await this.hasManifest(digest))) return false;
    for (const tag of await this.tags()) if ((await this.tag(tag)) === digest) await this.deleteTag(tag);
    const record = await this.record(digest);
    if (isDigest(record?.subject)) await removeDurably(this.#referrerPath(record.subject, digest));
    await removeDurably(this.#recordPath(digest));
    if (record?.blob !== true && (await removeDurably(this.#content(digest)))) await this.#dropCommon(digest);
    this.#place.changed();
    return true;
  }

  async tags(): Promise<readonly string[]> {
    return (await namesIn(this.#own('_tags'))).sort();
  }

  async tag(name: string): Promise<Digest | undefined> {
    const text = (await readOrNothing(join(this.#own('_tags'), name)))?.toString('utf8');
    return isDigest(text) ? text : undefined;
  }

  async putTag(name: string, digest: Digest): Promise<void> {
    await this.#write(join(this.#own('_tags'), name), digest);
    this.#place.changed();
  }

  async deleteTag(name: string): Promise<boolean> {
    const deleted = await removeDurably(join(this.#own('_tags'), name));
    if (deleted) this.#place.changed();
    return deleted;
  }

  async referrers(subject: Digest): Promise<readonly Descriptor[]> {
    const directory = contentPath(this.#own('_referrers'), subject);
    const entries: Descriptor[] = [];
    for (const name of (await namesIn(directory)).sort()) {
      const text = await readOrNothing(join(directory, name));
      if (text !== undefined) entries.push(parseDescriptor(JSON.parse(text.toString('utf8')), name));
    }
    return entries;
  }

  async usage(): Promise<number> {
    let sum = 0;
    for (const digest of await this.contents()) sum += (await sizeOf(this.#content(digest))) ?? 0;
    return sum;
  }

  async keep(digest: Digest): Promise<void> {
    for (const path of [this.#content(digest), this.#recordPath(digest)]) {
      const changed = (await stat(path).catch(() => undefined))?.ctimeMs;
      if (changed === undefined || changed > Date.now() - keptFresh) continue;
      await utimes(path, new Date(), new Date()).catch(() => {});
    }
  }

  /** When a manifest, set aside or not, was pushed or asked for last; milliseconds since 1970, 0 where there is none. */
  async changedAt(digest: Digest): Promise<number> {
    const paths = [this.#recordPath(digest), this.#asidePath(digest)];
    const times = await Promise.all(paths.map(async (path) => (await stat(path).catch(() => undefined))?.mtimeMs ?? 0));
    return Math.max(...times);
  }

  /** Hides a manifest that seems to be garbage, until it is restored or dropped. */
  async setAside(digest: Digest): Promise<void> {
    await movedIfThere(this.#recordPath(digest), this.#asidePath(digest));
    this.#place.changed();
  }

  async restore(digest: Digest): Promise<void> {
    await movedIfThere(this.#asidePath(digest), this.#recordPath(digest));
    this.#place.changed();
  }

  /** Digests of manifests that are set aside. */
  manifestsAside(): Promise<readonly Digest[]> {
    return digestsIn(this.#own(aside), '.json');
  }

  /** Deletes what is set aside, but the bytes. One that was pushed again meanwhile stays. */
  async dropSetAside(): Promise<readonly Digest[]> {
    const dropped: Digest[] = [];
    for (const digest of await this.manifestsAside()) {
      const again = await isThere(this.#recordPath(digest));
      const subject = (await this.anyRecord(digest))?.subject;
      if (!again && isDigest(subject)) await removeDurably(this.#referrerPath(subject, digest));
      if ((await removeDurably(this.#asidePath(digest))) && !again) dropped.push(digest);
    }
    return dropped;
  }

  /** Lets other repositories have what another program has put here. */
  async share(digest: Digest): Promise<void> {
    await linkedIfThere(this.#content(digest), contentPath(commonBlobs(this.#place.root), digest));
  }

  /** The record of a manifest, set aside or not. */
  async anyRecord(digest: Digest): Promise<ManifestRecord | undefined> {
    return (await this.record(digest)) ?? readRecord(this.#asidePath(digest));
  }

  /** Digests of all content, blobs and manifests. */
  contents(): Promise<readonly Digest[]> {
    return digestsIn(this.#own('blobs'), '');
  }

  /** Digests of all manifests. */
  manifests(): Promise<readonly Digest[]> {
    return digestsIn(this.#own('_manifests'), '.json');
  }

  async record(digest: Digest): Promise<ManifestRecord | undefined> {
    return readRecord(this.#recordPath(digest));
  }

  /** A manifest with the same bytes leaves them when it goes. */
  async #markAsBlob(digest: Digest): Promise<void> {
    const record = await this.record(digest);
    if (record === undefined || record.blob === true) return;
    await this.#write(this.#recordPath(digest), JSON.stringify({ ...record, blob: true }));
  }

  /** Where only the common name is left, nobody needs the bytes. Who links it just now keeps them, through a link of his own. */
  async #dropCommon(digest: Digest): Promise<void> {
    const common = contentPath(commonBlobs(this.#place.root), digest);
    const links = (await stat(common).catch(() => undefined))?.nlink;
    if (links === 1) await removeDurably(common);
  }

  #write(path: string, content: Uint8Array | string): Promise<void> {
    return writeDurably(path, content, uploadsFolder(this.#place.root));
  }

  #own(part: string): string {
    return join(this.path, part);
  }

  #content(digest: Digest): string {
    return contentPath(this.#own('blobs'), digest);
  }

  #recordPath(digest: Digest): string {
    return `${contentPath(this.#own('_manifests'), digest)}.json`;
  }

  #asidePath(digest: Digest): string {
    return `${contentPath(this.#own(aside), digest)}.json`;
  }

  #referrerPath(subject: Digest, digest: Digest): string {
    return join(contentPath(this.#own('_referrers'), subject), `${algorithmOf(digest)}-${hexOf(digest)}`);
  }
}

async function linkedIfThere(from: string, to: string): Promise<boolean> {
  try {
    await linkDurably(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

async function readRecord(path: string): Promise<ManifestRecord | undefined> {
  const text = await readOrNothing(path);
  return text === undefined ? undefined : (JSON.parse(text.toString('utf8')) as ManifestRecord);
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

/** Digests of the files `<algorithm>/<hex><suffix>` below a folder. */
export async function digestsIn(folder: string, suffix: string): Promise<readonly Digest[]> {
  const digests: Digest[] = [];
  for (const algorithm of await namesIn(folder)) {
    for (const file of await namesIn(join(folder, algorithm))) {
      const digest = `${algorithm}:${file.slice(0, file.length - suffix.length)}`;
      if (file.endsWith(suffix) && isDigest(digest)) digests.push(digest);
    }
  }
  return digests;
}
