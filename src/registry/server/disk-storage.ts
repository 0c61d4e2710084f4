import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DiskRepository } from './disk-repository.ts';
import { hasCode } from './durable.ts';
import { isRepositoryName } from './names.ts';
import type { RegistryStorage, UploadFile } from './storage.ts';

/**
 * Keeps a registry below a directory:
 *
 *     _blobs/<algorithm>/<hex>                                      every blob once
 *     _uploads/<uuid>                                               what is coming in; emptied at the start
 *     <name>/_blobs/…, _manifests/…, _tags/…, _referrers/…          one repository (see DiskRepository)
 *
 * A blob of a repository is a hard link to the common one, so that the file system counts who still needs it.
 */
export async function openDiskStorage(root: string): Promise<RegistryStorage> {
  const uploads = join(root, '_uploads');
  await rm(uploads, { recursive: true, force: true });
  await mkdir(uploads, { recursive: true });
  return {
    repositories: async () => (await findRepositories(root, '')).sort(),
    repository: (name) => new DiskRepository({ root, uploads, name }),
    startUpload: () => startUpload(uploads),
  };
}

async function findRepositories(root: string, name: string): Promise<string[]> {
  const entries = await readdir(join(root, name), { withFileTypes: true }).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  const directories = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const own = name !== '' && directories.some((entry) => entry === '_manifests' || entry === '_blobs') ? [name] : [];
  const children = directories.map((entry) => (name === '' ? entry : `${name}/${entry}`)).filter(isRepositoryName);
  const below = await Promise.all(children.map((child) => findRepositories(root, child)));
  return [...own, ...below.flat()];
}

async function startUpload(directory: string): Promise<UploadFile> {
  const path = join(directory, randomUUID());
  const file: FileHandle = await open(path, 'wx', 0o644);
  return {
    path,
    append: async (chunk) => {
      for (let at = 0; at < chunk.byteLength; ) at += (await file.write(chunk, at)).bytesWritten;
    },
    read: () => createReadStream(path),
    finish: async () => {
      await file.sync();
      await file.close();
    },
    discard: async () => {
      await file.close().catch(() => {});
      await rm(path, { force: true });
    },
  };
}
