import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../store/index.ts';

/**
 * Where one build works: `containers/<id>/` of the store, registered there, so that the next command cleans up if this
 * process is killed. Made when first needed: a build that is cached throughout touches nothing.
 */
export class Lane implements AsyncDisposable {
  readonly id = `b${randomBytes(8).toString('hex')}`;
  readonly #store: Store;
  #folder: Promise<string> | undefined;
  #rooms = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** A new empty folder for one job. */
  async scratch(): Promise<string> {
    this.#folder ??= this.#make();
    const folder = join(await this.#folder, String(this.#rooms++));
    await mkdir(folder);
    return folder;
  }

  async #make(): Promise<string> {
    return this.#store.registerContainer({ id: this.id });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder === undefined) return;
    await this.#folder;
    await this.#store.forgetContainer(this.id);
  }
}
