import { renameSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { type CallOptions, type Descriptor, verifiedChunks } from '../oci/index.ts';
import { chunkPassed, syncFolder } from '../system/index.ts';
import type { StoreBase } from './base.ts';
import { asStoreError } from './error.ts';

let count = 0;

/** A new name below ingest/; it starts with the owner's uuid, by which the files of dead processes are found. */
export function ingestPath(base: StoreBase): string {
  return path.join(base.paths.ingest, `${base.leases.owner()}-${count++}`);
}

/**
 * Writes content to a new ingest file while hashing it, and syncs it. Resolves with the file's path when the bytes are
 * those that `descriptor` describes; on failure there is no file.
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH; StoreError DISK_FULL
 */
export async function ingest(
  base: StoreBase,
  descriptor: Descriptor,
  content: Readable | Uint8Array,
  options?: CallOptions,
): Promise<string> {
  const file = ingestPath(base);
  try {
    const handle = await fs.open(file, 'wx', 0o600);
    try {
      for await (const chunk of verifiedChunks(content, descriptor, options)) {
        await handle.writeFile(chunk);
        chunkPassed(chunk.byteLength);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    return file;
  } catch (error) {
    await fs.rm(file, { force: true });
    throw asStoreError(error, `cannot store ${descriptor.digest}`);
  }
}

/** A new ingest file for content that is being made: `write` fills it and syncs it. On failure there is no file. */
export async function ingestMade<T>(
  base: StoreBase,
  write: (fd: number) => Promise<T>,
): Promise<{ readonly file: string; readonly made: T }> {
  const file = ingestPath(base);
  try {
    const handle = await fs.open(file, 'wx', 0o600);
    try {
      return { file, made: await write(handle.fd) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    await fs.rm(file, { force: true });
    throw asStoreError(error, 'cannot store a compressed layer');
  }
}

/**
 * Moves a synced ingest file to its place below blobs/, readable only, and records it in the same transaction, so that a
 * garbage collector at work on the same digest sees both or neither. Resolves when the name is on the disk. Should power
 * fail before that, the row is without its file, which counts as absent.
 */
export async function publish(
  base: StoreBase,
  descriptor: Descriptor,
  file: string,
  record: () => void,
): Promise<void> {
  const place = base.paths.blob(descriptor.digest);
  try {
    await fs.chmod(file, 0o444);
    await makeFolder(path.dirname(place));
    await base.db.writeSoon(() => {
      renameSync(file, place);
      record();
    });
    await syncFolder(path.dirname(place));
  } catch (error) {
    await fs.rm(file, { force: true });
    throw asStoreError(error, `cannot store ${descriptor.digest}`);
  }
}

/** The folder of an algorithm comes with its first blob. */
async function makeFolder(folder: string): Promise<void> {
  const made = await fs.mkdir(folder, { recursive: true, mode: 0o755 });
  if (made !== undefined) await syncFolder(path.dirname(folder));
}

/** Lets go of content that nobody needs, so that its source is not kept waiting. */
export function discardContent(content: Readable | Uint8Array): void {
  if (content instanceof Uint8Array || content.destroyed) return;
  content.on('error', () => undefined);
  content.destroy();
}
