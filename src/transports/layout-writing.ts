import { readdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CallOptions,
  childrenOf,
  type Descriptor,
  fetchBytes,
  hexOf,
  isDocumentType,
  parseManifestOrIndex,
} from '../oci/index.ts';
import { ProcessLock } from '../system/index.ts';
import type { LayoutReader } from './layout-reader.ts';

export interface LayoutWritingParts {
  /** Folder of the writers' locks, on the layout's own file system. */
  readonly locks: string;
  readonly blobs: string;
  readonly reader: LayoutReader;
  /** Runs alone, in this process and among all. */
  readonly alone: (work: () => Promise<void>) => Promise<void>;
}

/**
 * A writer of a layout that others know of: while it is there, nobody deletes blobs that no name leads to, since they may be those
 * that it is about to name. The lock falls with its process.
 */
export class LayoutWriting implements AsyncDisposable {
  readonly #parts: LayoutWritingParts;
  readonly #lock: ProcessLock;

  private constructor(parts: LayoutWritingParts, lock: ProcessLock) {
    this.#parts = parts;
    this.#lock = lock;
  }

  /** Waits while a collection is under way. */
  static async begin(parts: LayoutWritingParts): Promise<LayoutWriting> {
    let lock: ProcessLock | undefined;
    await parts.alone(async () => {
      lock = ProcessLock.acquire(parts.locks);
    });
    if (lock === undefined) throw new Error('a lock was not taken');
    return new LayoutWriting(parts, lock);
  }

  /**
   * Deletes the blobs that nothing in index.json leads to, unless another writes: then the last of them does it. Keeps everything
   * where a document cannot be read, since what it names is unknown.
   */
  async collectGarbage(options: CallOptions = {}): Promise<void> {
    await this.#parts.alone(async () => {
      this.#reap();
      if (this.#others() > 0) return;
      const kept = await this.#reachable(options);
      for (const name of await readdir(this.#parts.blobs)) {
        if (/^[0-9a-f]{64}$/.test(name) && !kept.has(name)) await rm(join(this.#parts.blobs, name), { force: true });
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lock.remove();
  }

  #reap(): void {
    const { locks } = this.#parts;
    for (const uuid of ProcessLock.reapable(locks)) {
      if (uuid !== this.#lock.uuid) ProcessLock.take(locks, uuid)?.remove();
    }
  }

  #others(): number {
    const own = `${this.#lock.uuid}.db`;
    return readdirSync(this.#parts.locks).filter((name) => name.endsWith('.db') && name !== own).length;
  }

  /** Names of the blobs that index.json leads to. */
  async #reachable(options: CallOptions): Promise<ReadonlySet<string>> {
    const { reader } = this.#parts;
    const kept = new Set<string>();
    const open: Descriptor[] = (await reader.list()).map(({ descriptor }) => descriptor);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const name = hexOf(next.digest);
      if (kept.has(name)) continue;
      kept.add(name);
      if (!isDocumentType(next.mediaType) || !(await reader.exists(next))) continue;
      open.push(...childrenOf(parseManifestOrIndex(await fetchBytes(reader, next, options), next.mediaType)));
    }
    return kept;
  }
}
