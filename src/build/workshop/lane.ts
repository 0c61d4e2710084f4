import { randomBytes } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Store } from '../../store/index.ts';

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
    const made = await this.#folder?.catch(() => undefined); // who asked for it was told
    if (made === undefined) return;
    await this.#store.forgetContainer(this.id);
  }
}

/** The folder of a step's container in its scratch folder. */
export function bundleOf(scratch: string): string {
  return join(scratch, 'bundle');
}

/** A name of its own on this machine for the container of a scratch folder: it tells lane and folder. */
export function containerIdOf(scratch: string, lane: string): string {
  return `${lane}-${basename(scratch)}`;
}

/** Ends and clears away the containers of a lane whose process died; its folder is then deleted by the store. */
export async function reapLane(folder: string, lane: string): Promise<void> {
  const { reapContainer, reapNetwork } = await import('../../container/index.ts');
  for (const name of await readdir(folder).catch(() => [])) {
    const scratch = join(folder, name);
    await reapContainer(bundleOf(scratch), containerIdOf(scratch, lane));
    await reapNetwork(scratch);
  }
}
