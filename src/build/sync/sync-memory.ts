import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Digest, formatPlatform, isDigest, type Platform } from '../../oci/index.ts';
import { putFile } from '../../system/index.ts';
import type { SyncMemory } from './contract.ts';

/** So many are kept; the oldest go. */
const mostEntries = 20_000;

/** Where it is kept: nothing is lost with it but some requests. */
export function syncMemoryPath(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'slipway', 'sync.json');
}

/** A memory in a file; `save` writes what is new. Its entries say only what bytes say too, so no lock is needed. */
export class SyncMemoryFile implements SyncMemory {
  readonly #path: string;
  readonly #entries: Map<string, Digest>;
  #isNew = false;

  private constructor(path: string, entries: Map<string, Digest>) {
    this.#path = path;
    this.#entries = entries;
  }

  /** Never throws: what cannot be read is forgotten. */
  static async open(path: string = syncMemoryPath()): Promise<SyncMemoryFile> {
    const entries = new Map<string, Digest>();
    try {
      const fields: unknown = JSON.parse(await readFile(path, 'utf8'));
      for (const [key, value] of Object.entries(fields ?? {})) {
        if (typeof value === 'string' && isDigest(value)) entries.set(key, value);
      }
    } catch {
      // the first time
    }
    return new SyncMemoryFile(path, entries);
  }

  get(root: Digest, platforms: readonly Platform[]): Digest | undefined {
    return this.#entries.get(keyOf(root, platforms));
  }

  set(root: Digest, platforms: readonly Platform[], { digest }: { readonly digest: Digest }): void {
    const key = keyOf(root, platforms);
    if (this.#entries.get(key) === digest) return;
    this.#entries.delete(key);
    this.#entries.set(key, digest);
    this.#isNew = true;
  }

  /** Never throws: without it, the next run asks again. */
  async save(): Promise<void> {
    if (!this.#isNew) return;
    const entries = [...this.#entries].slice(-mostEntries);
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      await putFile(this.#path, JSON.stringify(Object.fromEntries(entries)), { mode: 0o600 });
    } catch {
      // a home that cannot be written to
    }
  }
}

function keyOf(root: Digest, platforms: readonly Platform[]): string {
  return [root, ...platforms.map(formatPlatform).sort()].join(' ');
}
