import { constants, readdirSync, statSync, unlinkSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { algorithmOf, type CallOptions, type Digest, hexOf, isDigest } from '../oci/index.ts';
import type { StoreBase } from './base.ts';
import { Claims } from './claims.ts';
import { isMissing } from './error.ts';

/** A part smaller than this is not worth a file; bytes. */
const smallestPart = 64 * 1024;
/** What is not continued within a week is fetched anew, and all parts together may take so much; milliseconds, bytes. */
const longestKept = 7 * 24 * 3_600_000;
const mostBytes = 16 * 1024 ** 3;
/** Whoever is at a download that does not grow for so long is not waited for; milliseconds. */
const patienceMs = 60_000;

const prefix = 'partial-';

/** The file of a download, open for reading and appending, with what an earlier one left in it. */
export interface PartialFile {
  readonly path: string;
  readonly handle: fs.FileHandle;
  readonly kept: number;
}

/**
 * Downloads that did not come to their end: a file below ingest/ for each digest, named after it and continued by whoever wants the
 * blob next. It is content only once it was hashed whole and renamed. Whoever writes to one holds the claim of its digest.
 */
export class Partials {
  readonly #base: StoreBase;
  readonly #claims: Claims;
  #tidied = false;

  constructor(base: StoreBase) {
    this.#base = base;
    this.#claims = new Claims(base);
  }

  /**
   * Waits until nobody else is at the blob. Undefined where somebody is but gets nowhere (a stopped process, say): then it is fetched
   * beside him, into a file of its own.
   */
  async claim(digest: Digest, { signal }: CallOptions = {}): Promise<Disposable | undefined> {
    const impatient = new AbortController();
    let before = this.#sizeOf(digest);
    const timer = setInterval(() => {
      const now = this.#sizeOf(digest);
      if (now === before) impatient.abort();
      before = now;
    }, patienceMs).unref();
    try {
      const either = signal === undefined ? impatient.signal : AbortSignal.any([signal, impatient.signal]);
      return await this.#claims.take(keyOf(digest), { signal: either });
    } catch (error) {
      signal?.throwIfAborted();
      if (impatient.signal.aborted) return undefined;
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  /** Opens the file of a blob, made where there is none. The caller holds the claim and closes the handle. */
  async open(digest: Digest, { size }: { readonly size: number }): Promise<PartialFile> {
    if (!this.#tidied) this.tidy();
    this.#tidied = true;
    const file = this.#pathOf(digest);
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
    const handle = await fs.open(file, flags, 0o600);
    try {
      let kept = (await handle.stat()).size;
      if (kept > size) {
        await handle.truncate(0);
        kept = 0;
      }
      return { path: file, handle, kept };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** After a failure: keeps what the file has, if that is worth a request, or deletes it. */
  async leave(file: PartialFile, verdict: 'keep' | 'drop'): Promise<void> {
    const size =
      verdict === 'drop'
        ? 0
        : await fs.stat(file.path).then(
            (stat) => stat.size,
            () => 0,
          );
    if (size < smallestPart) await fs.rm(file.path, { force: true });
  }

  /** Deletes what nobody is at: all of it, or what is too old or too much. Returns the bytes that became free. */
  tidy({ all = false }: { readonly all?: boolean } = {}): number {
    const parts = this.#list();
    const oldest = Date.now() - longestKept;
    let total = 0;
    let freed = 0;
    for (const { digest, size, time } of parts.toSorted((a, b) => b.time - a.time)) {
      total += size;
      if (all || time < oldest || total > mostBytes) freed += this.#delete(digest, size);
    }
    return freed;
  }

  #list(): readonly { readonly digest: Digest; readonly size: number; readonly time: number }[] {
    return readdirSync(this.#base.paths.ingest).flatMap((name) => {
      const digest = digestOfPart(name);
      const stat = digest && statSync(this.#pathOf(digest), { throwIfNoEntry: false });
      return digest === undefined || stat === undefined ? [] : [{ digest, size: stat.size, time: stat.mtimeMs }];
    });
  }

  /** In a transaction, since claims are taken in one: nobody begins with a file that is being deleted. */
  #delete(digest: Digest, size: number): number {
    return this.#base.db.writeVolatile(() => {
      if (this.#claims.isTaken(keyOf(digest))) return 0;
      try {
        unlinkSync(this.#pathOf(digest));
        return size;
      } catch (error) {
        if (isMissing(error)) return 0;
        throw error;
      }
    });
  }

  #sizeOf(digest: Digest): number {
    return statSync(this.#pathOf(digest), { throwIfNoEntry: false })?.size ?? 0;
  }

  #pathOf(digest: Digest): string {
    return path.join(this.#base.paths.ingest, `${prefix}${algorithmOf(digest)}-${hexOf(digest)}`);
  }
}

/** Whether a file below ingest/ is a download that may be continued. */
export function isPart(name: string): boolean {
  return digestOfPart(name) !== undefined;
}

function digestOfPart(name: string): Digest | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const digest = name.slice(prefix.length).replace('-', ':');
  return isDigest(digest) ? digest : undefined;
}

function keyOf(digest: Digest): string {
  return `blob ${digest}`;
}
