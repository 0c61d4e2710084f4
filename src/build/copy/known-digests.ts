import type { FileStats } from '../../system/index.ts';
import { StatCache } from './stat-cache.ts';

/** Opening a cache takes about as long as reading and hashing so many bytes. */
const worthOpening = 8 << 20;

/**
 * Digests that whoever looked at a context before left in its stat cache, for those who copy: what has the same stats before and after
 * its copy need not be read for them. Opened once so much was read for want of it that it pays.
 */
export class KnownDigests {
  readonly #folder: string;
  readonly #caches = new Map<string, StatCache | undefined>();
  #asked = 0;

  /** @param folder where stat caches are kept */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The digest of a file of the context at `root` that looks like this. */
  get(root: string, stats: FileStats): string | undefined {
    this.#asked += stats.size;
    if (this.#asked < worthOpening) return undefined;
    if (!this.#caches.has(root)) this.#caches.set(root, StatCache.open(this.#folder, root));
    return this.#caches.get(root)?.get(stats);
  }
}
