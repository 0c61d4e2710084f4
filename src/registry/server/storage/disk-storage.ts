import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../errors.ts';
import { adoptLayout } from './adopt-layout.ts';
import { childName, commonBlobs, contentPath, repositoryPath, uploadsFolder } from './disk-paths.ts';
import { DiskRepository, digestsIn } from './disk-repository.ts';
import { DiskUpload } from './disk-upload.ts';
import { hasCode } from './durable.ts';
import { LayoutViews } from './layout-view.ts';
import type { RegistryStorage } from './storage.ts';

export interface DiskStorageOptions {
  /** Hears of what could not be served. */
  readonly onNote?: ((note: string) => void) | undefined;
}

export interface DiskStorage extends RegistryStorage {
  readonly root: string;
  repository(name: string): DiskRepository;
  /** Has the index of a repository written anew. */
  refresh(name: string): void;
}

/**
 * Keeps a registry below a directory:
 *
 *     <name>/…                    one repository: an OCI layout (see DiskRepository)
 *     _blobs/<algorithm>/<hex>    every blob once
 *     _uploads/<uuid>.<of name>   what is coming in, and files that are being written
 *
 * A blob of a repository is a hard link to the common one, so that the file system counts who still needs it. Several
 * processes may serve one directory. OCI layouts that others put below it are served too, once the storage is opened.
 */
export async function openDiskStorage(root: string, options: DiskStorageOptions = {}): Promise<DiskStorage> {
  const uploads = uploadsFolder(root);
  await mkdir(uploads, { recursive: true });
  const views = new LayoutViews(uploads);
  const repository = (name: string): DiskRepository => {
    const opened: DiskRepository = new DiskRepository({ root, name, changed: () => views.changed(opened) });
    return opened;
  };
  const storage: DiskStorage = {
    root,
    description: root,
    repositories: async () => (await repositoriesBelow(root)).filter(({ served }) => served).map(({ name }) => name),
    repository,
    holds: async (digest) => (await stat(contentPath(commonBlobs(root), digest)).catch(() => undefined)) !== undefined,
    refresh: (name) => views.changed(repository(name)),
    startUpload: (place) => DiskUpload.start(uploads, place),
    findUpload: (place) => DiskUpload.find(uploads, place),
    dropUploads: (idle) => dropUploads(uploads, Date.now() - idle),
    usage: () => usageOf(storage),
    settle: () => views.settle(),
  };
  for (const { name, foreign } of await repositoriesBelow(root)) {
    if (!foreign) continue;
    await adoptLayout(repository(name)).catch((error: unknown) => {
      options.onNote?.(`the layout in ${name} is not served: ${messageOf(error)}`);
    });
  }
  return storage;
}

interface FoundRepository {
  readonly name: string;
  readonly served: boolean;
  /** A layout that another program has made. */
  readonly foreign: boolean;
}

async function repositoriesBelow(root: string): Promise<FoundRepository[]> {
  const found = await findRepositories(root, '');
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function findRepositories(root: string, name: string): Promise<FoundRepository[]> {
  const entries = await entriesOf(name === '' ? root : repositoryPath(root, name));
  const names = new Set(entries.map((entry) => entry.name));
  const served = name !== '' && (names.has('_manifests') || names.has('blobs'));
  const foreign = name !== '' && names.has('index.json') && !names.has('_manifests');
  const own = served || foreign ? [{ name, served, foreign }] : [];
  const directories = entries.filter((entry) => entry.isDirectory()).map((entry) => childName(name, entry.name));
  const children = directories.filter((child) => child !== undefined);
  const below = await Promise.all(children.map((child) => findRepositories(root, child)));
  return [...own, ...below.flat()];
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

async function dropUploads(folder: string, before: number): Promise<number> {
  let dropped = 0;
  for (const { name } of await entriesOf(folder)) {
    const path = join(folder, name);
    const touched = (await stat(path).catch(() => undefined))?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (touched > before) continue;
    await rm(path, { force: true });
    dropped += 1;
  }
  return dropped;
}

/** Content by inode, so that what is linked counts once. */
async function usageOf(storage: DiskStorage): Promise<number> {
  const { root } = storage;
  const inodes = new Map<number, number>();
  const count = async (paths: readonly string[]): Promise<void> => {
    for (const path of paths) {
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined) inodes.set(found.ino, found.size);
    }
  };
  const inFolder = async (folder: string): Promise<readonly string[]> =>
    (await digestsIn(folder, '')).map((digest) => contentPath(folder, digest));
  await count(await inFolder(commonBlobs(root)));
  for (const name of await storage.repositories()) {
    await count(await inFolder(join(storage.repository(name).path, 'blobs')));
  }
  return [...inodes.values()].reduce((sum, size) => sum + size, 0);
}
