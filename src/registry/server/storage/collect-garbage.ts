import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { childrenOf, type Digest, parseManifestOrIndex } from '../../../oci/index.ts';
import { commonBlobs, contentPath } from './disk-paths.ts';
import { type DiskRepository, digestsIn } from './disk-repository.ts';
import type { DiskStorage } from './disk-storage.ts';
import { movedIfThere, removeDurably } from './durable.ts';

/** Where blobs of a repository wait that seem to be garbage. */
const aside = '_condemned';

export interface CollectOptions {
  /** Only tells what would go; false unless given. */
  readonly dryRun?: boolean | undefined;
  /** Manifests go too that no tag, no kept index and no kept subject leads to; false unless given. */
  readonly deleteUntagged?: boolean | undefined;
  /** Milliseconds for which what was pushed, or asked for before a push, stays whatever names it; an hour unless given. */
  readonly grace?: number | undefined;
  /** Milliseconds after which an upload that nobody goes on with goes; a day unless given. */
  readonly uploadAge?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CollectedGarbage {
  readonly manifests: readonly CollectedContent[];
  readonly blobs: readonly CollectedContent[];
  readonly uploads: number;
  /** Of files that nothing else links. */
  readonly bytes: number;
  /** Repositories whose manifests cannot all be read: nothing of them goes. */
  readonly unreadable: readonly string[];
}

export interface CollectedContent {
  readonly repository: string;
  readonly digest: Digest;
}

/**
 * Deletes what no manifest names, beside servers that may be running (mark and sweep). What seems to be garbage is set
 * aside first and looked for in manifests once more: one that came meanwhile gets it back, or has looked for it after
 * it was set aside and was refused.
 */
export async function collectGarbage(storage: DiskStorage, options: CollectOptions = {}): Promise<CollectedGarbage> {
  const { dryRun = false, grace = 3_600_000, uploadAge = 86_400_000, signal } = options;
  const before = Date.now() - grace;
  const manifests: CollectedContent[] = [];
  const blobs: CollectedContent[] = [];
  const unreadable: string[] = [];
  let bytes = 0;
  for (const name of await storage.repositories()) {
    signal?.throwIfAborted();
    const collection = { repository: storage.repository(name), before, dryRun };
    try {
      if (!dryRun && !options.deleteUntagged) await restoreManifests(collection.repository);
      const untagged = options.deleteUntagged ? await collectUntagged(collection) : [];
      manifests.push(...untagged.map((digest) => ({ repository: name, digest })));
      const gone = await collectBlobs(collection, new Set(dryRun ? untagged : []));
      const blobsGone = gone.digests.filter((digest) => !untagged.includes(digest));
      blobs.push(...blobsGone.map((digest) => ({ repository: name, digest })));
      bytes += gone.bytes;
    } catch (error) {
      if (!(error instanceof UnreadableManifest)) throw error;
      if (!dryRun) await restoreAll(collection.repository);
      unreadable.push(name);
    }
    storage.refresh(name);
  }
  bytes += await collectCommon(storage, dryRun ? blobs : undefined);
  const uploads = dryRun ? 0 : await storage.dropUploads(uploadAge);
  await storage.settle();
  return { manifests, blobs, uploads, bytes, unreadable };
}

interface Collection {
  readonly repository: DiskRepository;
  /** What is younger than this time stays. */
  readonly before: number;
  readonly dryRun: boolean;
}

/** Its bytes may be damaged; without what it names, nothing can be called garbage. */
class UnreadableManifest extends Error {}

/**
 * Sets aside the records of manifests that nothing leads to, looks once more what leads where, and deletes those that are
 * still lost. Their bytes go with the blobs.
 */
async function collectUntagged(collection: Collection): Promise<readonly Digest[]> {
  const { repository, dryRun } = collection;
  const kept = await keptManifests(collection);
  const lost = (await repository.manifests()).filter((digest) => !kept.has(digest));
  if (dryRun) return lost;
  for (const digest of lost) await repository.setAside(digest);
  await restoreKept(collection);
  return repository.dropSetAside();
}

/** What a collection had set aside that was killed, or what was needed meanwhile, comes back. */
async function restoreKept(collection: Collection): Promise<void> {
  const { repository } = collection;
  for (;;) {
    const kept = await keptManifests(collection);
    const needed = (await repository.manifestsAside()).filter((digest) => kept.has(digest));
    if (needed.length === 0) return;
    // What comes back may name others that were set aside.
    for (const digest of needed) await repository.restore(digest);
  }
}

async function restoreManifests(repository: DiskRepository): Promise<void> {
  for (const digest of await repository.manifestsAside()) await repository.restore(digest);
}

/** Where nothing can be called garbage, nothing stays aside. */
async function restoreAll(repository: DiskRepository): Promise<void> {
  await restoreManifests(repository);
  const folder = join(repository.path, aside);
  for (const digest of await digestsIn(folder, '')) {
    await movedIfThere(contentPath(folder, digest), contentPath(join(repository.path, 'blobs'), digest));
  }
}

/** What tags, young manifests, and indexes and subjects that are kept themselves lead to; present or not. */
async function keptManifests({ repository, before }: Collection): Promise<ReadonlySet<Digest>> {
  const subjects = new Map<Digest, string | undefined>();
  const kept = new Set<Digest>();
  const keep = async (digest: Digest): Promise<void> => {
    if (kept.has(digest)) return;
    kept.add(digest);
    for (const child of await namedBy(repository, digest)) await keep(child);
    for (const [referrer, subject] of subjects) if (subject === digest) await keep(referrer);
  };
  const all = await repository.manifests();
  for (const digest of [...all, ...(await repository.manifestsAside())]) {
    subjects.set(digest, (await repository.anyRecord(digest))?.subject);
  }
  for (const digest of subjects.keys()) if ((await repository.changedAt(digest)) > before) await keep(digest);
  for (const tag of await repository.tags()) {
    const digest = await repository.tag(tag);
    if (digest !== undefined) await keep(digest);
  }
  return kept;
}

interface Gone {
  readonly digests: readonly Digest[];
  /** Of what was nowhere but here. */
  readonly bytes: number;
}

async function collectBlobs(collection: Collection, without: ReadonlySet<Digest>): Promise<Gone> {
  const { repository, before, dryRun } = collection;
  const own = join(repository.path, 'blobs');
  const condemnedBlobs = join(repository.path, aside);
  // What a collection has left that was killed, or that runs beside us, is judged again.
  const condemned = new Set(await digestsIn(condemnedBlobs, ''));
  const named = await allNamed(repository, without);
  for (const digest of await repository.contents()) {
    if (named.has(digest) || (await changedAt(contentPath(own, digest))) > before) continue;
    if (dryRun || (await movedIfThere(contentPath(own, digest), contentPath(condemnedBlobs, digest))))
      condemned.add(digest);
  }
  const since = dryRun || condemned.size === 0 ? named : await allNamed(repository, without);
  const digests: Digest[] = [];
  let bytes = 0;
  for (const digest of condemned) {
    const path = contentPath(dryRun ? own : condemnedBlobs, digest);
    if (!dryRun && since.has(digest)) {
      await movedIfThere(path, contentPath(own, digest));
      continue;
    }
    const found = await stat(path).catch(() => undefined);
    if (!dryRun && !(await removeDurably(path))) continue;
    digests.push(digest);
    if (found?.nlink === 1) bytes += found.size;
  }
  return { digests, bytes };
}

/**
 * Deletes common blobs that no repository links; gives their bytes. Nobody loses one: who is about to link it does so
 * before, or makes it again. A dry run counts `without` as gone.
 */
async function collectCommon({ root }: DiskStorage, without: readonly CollectedContent[] | undefined): Promise<number> {
  const fewer = new Map<Digest, number>();
  for (const { digest } of without ?? []) fewer.set(digest, (fewer.get(digest) ?? 0) + 1);
  let bytes = 0;
  for (const digest of await digestsIn(commonBlobs(root), '')) {
    const path = contentPath(commonBlobs(root), digest);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || found.nlink - (fewer.get(digest) ?? 0) > 1) continue;
    if (without !== undefined || (await removeDurably(path))) bytes += found.size;
  }
  return bytes;
}

/** All digests that manifests name, and their own. @throws UnreadableManifest */
async function allNamed(repository: DiskRepository, without: ReadonlySet<Digest>): Promise<ReadonlySet<Digest>> {
  const named = new Set<Digest>();
  for (const digest of await repository.manifests()) {
    if (without.has(digest)) continue;
    named.add(digest);
    for (const child of await namedBy(repository, digest)) named.add(child);
  }
  return named;
}

async function namedBy(repository: DiskRepository, digest: Digest): Promise<readonly Digest[]> {
  const manifest = await repository.manifest(digest);
  if (manifest === undefined) {
    if (!(await repository.hasManifest(digest))) return [];
    throw new UnreadableManifest(digest);
  }
  try {
    return childrenOf(parseManifestOrIndex(manifest.content, manifest.mediaType)).map((child) => child.digest);
  } catch (error) {
    throw new UnreadableManifest(digest, { cause: error });
  }
}

async function changedAt(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.ctimeMs ?? Number.POSITIVE_INFINITY;
}
