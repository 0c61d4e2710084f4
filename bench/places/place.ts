import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { project, run } from './command.ts';

/** Memory, a fresh ext4 in a file, or the folder that `SLIPWAY_BENCH_DIR` names. */
export type PlaceKind = 'tmpfs' | 'ext4' | 'folder';

/** Where one job works: a folder of its own, for peers too, so that all write to the same file system. */
export class Place {
  readonly kind: PlaceKind;
  readonly folder: string;
  readonly #closing: (() => Promise<unknown>)[] = [];

  constructor(kind: PlaceKind, folder: string) {
    this.kind = kind;
    this.folder = folder;
  }

  /** A store of ours by name. */
  store(name = 'store'): { readonly SLIPWAY_ROOT: string } {
    return { SLIPWAY_ROOT: this.path(name) };
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** The last one is called first. */
  onClose(work: () => Promise<unknown>): void {
    this.#closing.unshift(work);
  }

  /** Removes a store, ours or a peer's, with what a peer left mounted in it. */
  async clear(...names: string[]): Promise<void> {
    for (const name of names) {
      await run(['umount', this.path(name, 'overlay')]).catch(() => undefined);
      await rm(this.path(name), { recursive: true, force: true });
    }
  }

  /** Waits until what was written has reached the disk. */
  async settle(): Promise<void> {
    await run(['sync', '-f', this.folder]);
  }

  async close(): Promise<void> {
    for (const work of this.#closing) await work();
  }
}

/** Makes an empty place. Root gets a file system of its own, which is removed with the place; others a folder in /dev/shm. */
export async function makePlace(kind: PlaceKind): Promise<Place> {
  if (kind === 'folder') return folderPlace(kind, process.env['SLIPWAY_BENCH_DIR'] ?? tmpdir());
  if (process.getuid?.() !== 0) return folderPlace(kind, existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
  // Its path is a stranger to every program: in lower case, since buildah takes such a path for a name.
  const place = new Place(kind, join(tmpdir(), uniqueName()));
  await mkdir(place.folder, { mode: 0o755 });
  place.onClose(() => rm(place.folder, { recursive: true, force: true }));
  try {
    if (kind === 'ext4') await mountExt4(place);
    else await run(['mount', '-t', 'tmpfs', '-o', 'size=90%,mode=755', 'slipway-bench', place.folder]);
  } catch (error) {
    await place.close();
    throw error;
  }
  place.onClose(() => unmount(place));
  return place;
}

/** The kinds that this user can have: a loop device is root's. */
export function possibleKinds(): readonly PlaceKind[] {
  if (process.env['SLIPWAY_BENCH_DIR'] !== undefined) return ['folder'];
  return process.getuid?.() === 0 ? ['tmpfs', 'ext4'] : ['tmpfs'];
}

async function folderPlace(kind: PlaceKind, parent: string): Promise<Place> {
  const place = new Place(kind, join(parent, uniqueName()));
  await mkdir(place.folder, { mode: 0o700 });
  place.onClose(() => rm(place.folder, { recursive: true, force: true }));
  return place;
}

function uniqueName(): string {
  return `slipway-bench-${randomBytes(6).toString('hex')}`;
}

/** As large as half of what is free where the file lies, in which holes cost nothing; no thread of the kernel's fills tables while programs are measured. */
async function mountExt4(place: Place): Promise<void> {
  const folder = process.env['SLIPWAY_BENCH_IMAGES'] ?? join(project, '.cache');
  await mkdir(folder, { recursive: true });
  const image = join(folder, `${uniqueName()}.ext4`);
  const { bavail, bsize } = await statfs(folder);
  place.onClose(() => rm(image, { force: true }));
  await run(['truncate', '-s', String(Math.min(48 * 2 ** 30, Math.floor((bavail * bsize) / 2))), image]);
  await run(['mkfs.ext4', '-q', '-F', image]);
  await run(['mount', '-o', 'loop,noinit_itable', image, place.folder]);
}

/** What a program still holds open for a moment is let go; what stays is taken away all the same. */
async function unmount(place: Place): Promise<void> {
  await run(['umount', '-R', place.folder]).catch(() => run(['umount', '-R', '-l', place.folder]));
}
