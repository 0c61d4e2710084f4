import { cp, lstat, mkdir, mkdtemp, open, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';

/** What is kept at most; the commit that was not used for the longest time goes first. */
export interface KeepLimits {
  readonly commits: number;
  readonly bytes: number;
}

const usualLimits: KeepLimits = { commits: 64, bytes: 2 * 2 ** 30 };
/** Of a copy that was never finished, before it is taken for one that never will be; milliseconds. */
const abandonedAfter = 24 * 60 * 60 * 1000;

/**
 * Fetched commits, each in a folder of its name that is never changed: a build of one that is here fetches nothing. Copies appear and go
 * by a rename, so several processes may share the folder; one whose copy goes while it is read fetches instead.
 */
export class KeptCommits {
  readonly #folder: string;
  readonly #limits: KeepLimits;

  /** @param folder made when there is something to keep */
  constructor(folder: string, limits: KeepLimits = usualLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** Gives a repository the objects of a commit or tag, where they are here. Whether they were. */
  async give(object: string, gitDir: string): Promise<boolean> {
    const kept = join(this.#folder, object);
    try {
      await copyObjects(kept, gitDir);
      const now = new Date();
      await utimes(kept, now, now);
      return true;
    } catch {
      return false; // never kept, or gone meanwhile
    }
  }

  /** Keeps what a repository has fetched. Nothing is lost where that cannot be: the next build fetches again. */
  async keep(object: string, gitDir: string): Promise<void> {
    let draft: string | undefined;
    try {
      if ((await sizeOf(gitDir)) > this.#limits.bytes / 4) return;
      await mkdir(this.#folder, { recursive: true, mode: 0o700 }); // of repositories that not everybody may read
      draft = await mkdtemp(join(this.#folder, 'draft-'));
      await copyObjects(gitDir, draft);
      await sync(draft);
      await rename(draft, join(this.#folder, object));
      await this.#trim();
    } catch {
      if (draft !== undefined) await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** Forgets a commit that proved to be damaged. */
  async drop(object: string): Promise<void> {
    await rm(join(this.#folder, object), { recursive: true, force: true });
  }

  async #trim(): Promise<void> {
    const kept: { readonly path: string; readonly used: number; readonly bytes: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const { mtimeMs } = await lstat(path);
      if (!name.startsWith('draft-')) kept.push({ path, used: mtimeMs, bytes: await sizeOf(path) });
      else if (Date.now() - mtimeMs > abandonedAfter) await rm(path, { recursive: true, force: true });
    }
    let [commits, bytes] = [0, 0];
    for (const each of kept.toSorted((a, b) => b.used - a.used)) {
      commits += 1;
      bytes += each.bytes;
      if (commits > this.#limits.commits || bytes > this.#limits.bytes) {
        await rm(each.path, { recursive: true, force: true });
      }
    }
  }
}

/** The objects, and where their history ends. */
async function copyObjects(from: string, to: string): Promise<void> {
  await cp(join(from, 'objects'), join(to, 'objects'), { recursive: true });
  await cp(join(from, 'shallow'), join(to, 'shallow')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function sizeOf(folder: string): Promise<number> {
  const sizes = await Promise.all((await filesIn(folder)).map(async (path) => (await lstat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function sync(folder: string): Promise<void> {
  for (const path of await filesIn(folder)) {
    await using file = await open(path);
    await file.sync();
  }
}
