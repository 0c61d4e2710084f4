import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Descriptor, type Digest, mediaTypes } from '../../../oci/index.ts';
import type { DiskRepository } from './disk-repository.ts';
import { writeDurably } from './durable.ts';

const refName = 'org.opencontainers.image.ref.name';
/** Milliseconds between a change and the index that shows it: many changes come together. */
const delay = 20;
/** Tries of one index while the server closes. */
const mostHurried = 10;
/** What of a folder's time may be the past that was read: file systems count in ticks of the kernel. */
const tick = 10;

/**
 * Writes `index.json` and `oci-layout` of repositories that have changed, so that other programs read them as the OCI
 * layouts that they are. The registry itself never reads them. An index is soon right, not at once: of a repository
 * with many tags it is written at most a tenth of the time.
 */
export class LayoutViews {
  readonly #temporaryIn: string;
  readonly #work = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  #hurry = false;

  constructor(temporaryIn: string) {
    this.#temporaryIn = temporaryIn;
  }

  changed(repository: DiskRepository): void {
    this.#again.add(repository.path);
    if (this.#work.has(repository.path)) return;
    const work = this.#writeUntilRight(repository).finally(() => this.#work.delete(repository.path));
    this.#work.set(repository.path, work);
  }

  async settle(): Promise<void> {
    this.#hurry = true;
    while (this.#work.size > 0) await Promise.all(this.#work.values());
    this.#hurry = false;
  }

  async #writeUntilRight(repository: DiskRepository): Promise<void> {
    let pause = delay;
    let hurried = 0;
    do {
      await sleep(this.#hurry ? delay : pause);
      hurried += this.#hurry ? 1 : 0;
      this.#again.delete(repository.path);
      const start = Date.now();
      // A view that cannot be written (the disk is full, the folder is gone) harms nobody, and the next change tries again.
      const read = await writeView(repository, this.#temporaryIn).catch(() => start);
      pause = Math.max(delay, 10 * (Date.now() - start));
      if (read < start) this.#again.add(repository.path);
      // What another process does not stop changing, it writes itself.
    } while (this.#again.has(repository.path) && hurried < mostHurried);
    this.#again.delete(repository.path);
  }
}

/** The time up to which changes are in what was written: less than `Date.now()` was if some may be missing. */
async function writeView(repository: DiskRepository, temporaryIn: string): Promise<number> {
  const start = Date.now();
  const index = JSON.stringify(await viewOf(repository));
  const path = join(repository.path, 'index.json');
  const old = await readFile(path, 'utf8').catch(() => undefined);
  if (old === undefined) {
    const marker = JSON.stringify({ imageLayoutVersion: '1.0.0' });
    await writeDurably(join(repository.path, 'oci-layout'), marker, temporaryIn);
  }
  if (old !== index) await writeDurably(path, index, temporaryIn);
  // Another process may have changed it meanwhile, read before us, and written after us.
  const changed = await lastChange(repository.path);
  return changed < start - tick ? start : start - 1;
}

async function viewOf(repository: DiskRepository) {
  const descriptors = new Map<Digest, Descriptor>();
  for (const digest of await repository.manifests()) {
    const record = await repository.record(digest);
    if (record !== undefined) descriptors.set(digest, { mediaType: record.mediaType, digest, size: record.size });
  }
  const manifests: Descriptor[] = [];
  const untagged = new Set(descriptors.keys());
  for (const tag of await repository.tags()) {
    const digest = await repository.tag(tag);
    const descriptor = digest === undefined ? undefined : descriptors.get(digest);
    if (descriptor === undefined) continue;
    untagged.delete(descriptor.digest);
    manifests.push({ ...descriptor, annotations: { [refName]: tag } });
  }
  for (const digest of [...untagged].sort()) {
    const descriptor = descriptors.get(digest);
    if (descriptor !== undefined) manifests.push(descriptor);
  }
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

async function lastChange(path: string): Promise<number> {
  const folders = ['_tags', '_manifests/sha256', '_manifests/sha512'].map((part) => join(path, part));
  const times = await Promise.all(folders.map(async (folder) => (await stat(folder).catch(() => undefined))?.mtimeMs));
  return Math.max(0, ...times.filter((time) => time !== undefined));
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
