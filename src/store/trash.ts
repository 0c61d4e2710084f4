import fs from 'node:fs/promises';
import type { StoreBase } from './base.ts';
import { asStoreError, isMissing } from './error.ts';
import { trashNames } from './files.ts';
import { deleteTrees } from './tree/delete.ts';

/** Takes trees away at once, by a rename, and then deletes them, in the worker thread where they may be large. */
export class Trash {
  readonly #base: StoreBase;
  readonly #name: () => string;

  constructor(base: StoreBase) {
    this.#base = base;
    this.#name = trashNames(base.paths);
  }

  /** Folders of the store's file system; those that are not there are passed over. @throws StoreError CANNOT_DELETE */
  async delete(folders: readonly string[]): Promise<void> {
    const moved: string[] = [];
    for (const folder of folders) {
      const name = await this.#move(folder);
      if (name !== undefined) moved.push(name);
    }
    await this.#deleteMoved(moved);
  }

  /** The same at once, in this thread: a folder that is known to hold no more than some hundred files is not worth the start of another. */
  async deleteSmall(folder: string): Promise<void> {
    const name = await this.#move(folder);
    if (name !== undefined) deleteTrees([name], this.#base.paths.trash);
  }

  /** Deletes what others left in the trash: they were killed, or could not. */
  async empty(): Promise<void> {
    const names = await fs.readdir(this.#base.paths.trash).catch(() => []);
    await this.#deleteMoved(names.map((name) => `${this.#base.paths.trash}/${name}`));
  }

  async #move(folder: string): Promise<string | undefined> {
    const name = this.#name();
    try {
      await fs.rename(folder, name);
      return name;
    } catch (error) {
      if (!isMissing(error)) throw asStoreError(error, `cannot delete ${folder}`);
    }
    return undefined;
  }

  async #deleteMoved(folders: readonly string[]): Promise<void> {
    // A folder with nothing in it, such as the work folder of a step that never ran, needs no thread.
    const filled: string[] = [];
    for (const folder of folders) if (!(await removedAtOnce(folder))) filled.push(folder);
    if (filled.length === 0) return;
    await this.#base.worker.perform({ kind: 'delete', folders: filled, trash: this.#base.paths.trash });
  }
}

async function removedAtOnce(folder: string): Promise<boolean> {
  try {
    await fs.rmdir(folder);
    return true;
  } catch (error) {
    return isMissing(error);
  }
}
