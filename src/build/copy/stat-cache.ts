import { hash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bootId, FileStats, loadSyscalls, tellsEveryChange } from '../../system/index.ts';
import { writeCacheFile } from './cache-file.ts';
import { digestOfOpen } from './digest.ts';
import {
  type CachedDigest,
  type CachedDigests,
  type CacheSubject,
  decodeStatCache,
  encodeStatCache,
} from './stat-cache-format.ts';

/** What time it is, and since when this machine runs: milliseconds since 1970. */
export interface Clock {
  now(): number;
  bootedAt(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  // Counts time asleep, so that only a step of the clock moves the difference.
  bootedAt: () => Date.now() - Number(/^\S+/.exec(readFileSync('/proc/uptime', 'latin1'))?.[0]) * 1000,
};

/** A file that was written less than this long before it was read may be written again at what looks like the same time. */
const racyMs = 2000;
/** How much the boot time may seem to move back (clocks are slewed) before nothing is believed any more. */
const clockStepMs = 1000;
const largestFolder = { bytes: 128 << 20, files: 256 };

/**
 * Content digests of the files of one folder, kept between builds by what stat(2) tells of them: device, inode, size, modification
 * and change time to the nanosecond, mode. They are believed only if all are equal, and kept only where equality proves something:
 * - on file systems that move the change time with every change (not over a network, not FUSE, not overlayfs);
 * - if the file had last changed well before it was read, since times tick in milliseconds, or seconds ("racy" in git's word);
 * - if nobody had it open for writing when it was read: a page that is mapped and dirty is written to without a new time;
 * - if the clock was not set back since: times could come again.
 * The file on disk is a cache alone: one that is damaged, of another version, another folder or another device is none.
 */
export class StatCache {
  readonly #file: string;
  readonly #subject: CacheSubject;
  readonly #clock: Clock;
  #known: CachedDigests;
  #loadedFrom: string;
  readonly #fresh = new Map<number, CachedDigest>();

  /**
   * @param folder where caches are kept, made when there is something to keep
   * @param root absolute path of the folder that is cached
   * @returns undefined where stats prove nothing
   */
  static open(folder: string, root: string, clock: Clock = systemClock): StatCache | undefined {
    return tellsEveryChange(root) ? new StatCache(folder, root, clock) : undefined;
  }

  private constructor(folder: string, root: string, clock: Clock) {
    this.#file = join(folder, hash('sha256', root));
    this.#subject = { root, device: statSync(root).dev };
    this.#clock = clock;
    this.#loadedFrom = identityOf(this.#file);
    this.#known = this.#load();
  }

  #load(): CachedDigests {
    const found = decodeStatCache(readIfThere(this.#file), this.#subject);
    const setBack = found.boot === bootId() && this.#clock.bootedAt() < found.bootedAt - clockStepMs;
    return setBack ? decodeStatCache(undefined, this.#subject) : found;
  }

  /** The digest of a file that looks like this. */
  get(stats: FileStats): string | undefined {
    return stats.dev === this.#subject.device ? this.#known.get(stats) : undefined;
  }

  /** Reads an open regular file, and takes note of its digest where that can be believed later. */
  digest(fd: number): string {
    // In this order: whoever writes after the first line leaves a later time than these stats have.
    const now = this.#clock.now();
    const stats = FileStats.ofOpen(fd);
    const settled = this.#isSettled(stats, now) && !hasWriter(fd);
    const digest = digestOfOpen(fd, stats.size);
    if (settled) this.#fresh.set(stats.ino, { stats, digest });
    return digest;
  }

  #isSettled(stats: FileStats, now: number): boolean {
    const age = now - (stats.ctimeSec + 1) * 1000;
    return stats.dev === this.#subject.device && Number.isSafeInteger(stats.ino) && age >= racyMs;
  }

  /** Writes what is new, with what another process wrote meanwhile. That nothing can be written is no failure of a build. */
  save(): void {
    if (this.#fresh.size === 0) return;
    if (identityOf(this.#file) !== this.#loadedFrom) this.#known = this.#load();
    const bytes = encodeStatCache(this.#known, [...this.#fresh.values()], {
      ...this.#subject,
      boot: bootId(),
      bootedAt: this.#clock.bootedAt(),
      day: Math.floor(this.#clock.now() / 86_400_000),
    });
    if (!writeCacheFile(this.#file, bytes, largestFolder)) return;
    this.#fresh.clear();
    this.#loadedFrom = identityOf(this.#file);
    this.#known = decodeStatCache(bytes, this.#subject);
  }
}

/** Where the kernel does not say, somebody may: the file is read again next time. */
function hasWriter(fd: number): boolean {
  return loadSyscalls().isOpenForWriting(fd) ?? true;
}

function identityOf(file: string): string {
  const stats = FileStats.of(file);
  return stats === undefined ? '' : `${stats.ino} ${stats.ctimeSec}.${stats.ctimeNsec}`;
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
