import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type PlaceOptions, storeRoot } from '../build/index.ts';
import { isSlipwayError } from '../errors.ts';
import type { Store } from '../store/index.ts';
import { UiError } from './error.ts';
import type { RegistryValues } from './registry-flags/registry.ts';
import { StoreCommand } from './store-command.ts';

/** What the descriptions of commands say of places. */
export const placesHelp =
  'Places: [docker://]NAME in a registry, store:NAME, oci:PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], dir:FOLDER, docker-daemon:NAME; - for an archive on standard input or output.';

/**
 * A command whose arguments name places: a name is in a registry unless it says `store:`, and the store is opened only
 * where one does.
 */
export abstract class PlaceCommand extends StoreCommand {
  /**
   * True for commands that answer a question: exit status 1 is an answer (it is not there, they differ), and 2 says that
   * there was none, as with grep and diff.
   */
  static asks = false;

  /** Files of images are touched only in the store. */
  protected override async ownsFiles(): Promise<boolean> {
    return this.argv.some((word) => /^(?:-[a-z]|--[a-z-]+=)?store:./.test(word));
  }

  override async execute(): Promise<void> {
    try {
      await super.execute();
    } catch (error) {
      throw (this.ctor as typeof PlaceCommand).asks ? unanswered(error) : error;
    }
  }

  /** What opens places for the length of `work`. */
  protected async withPlaces<T>(flags: RegistryValues, work: (places: PlaceOptions) => Promise<T>): Promise<T> {
    const open = this.registries(flags);
    let store: Promise<Store> | undefined;
    const openStore = (): Promise<Store> => (store ??= this.openStore(open));
    try {
      return await work({ open, openStore, isInStore: (name) => this.#isInStore(name, openStore) });
    } finally {
      await (await store?.catch(() => undefined))?.close();
    }
  }

  /** Asked only to tell a mistake: no store is made for that, and its own trouble is not told. */
  async #isInStore(name: string, openStore: () => Promise<Store>): Promise<boolean> {
    if (!existsSync(join(storeRoot(this.privileges), 'slipway.db'))) return false;
    try {
      return (await openStore()).images.find(name) !== undefined;
    } catch {
      return false;
    }
  }
}

const answers = new Set(['NOT_FOUND', 'IMAGE_NOT_FOUND', 'NO_MATCHING_PLATFORM', 'DIFFERENT', 'INVALID_IMAGE']);

function unanswered(error: unknown): unknown {
  if (!isSlipwayError(error) || error.exitCode !== 1 || answers.has(error.code)) return error;
  const { message, hint, details } = error;
  return new UiError('UNANSWERED', message, { hint, details, exitCode: 2, cause: error });
}
