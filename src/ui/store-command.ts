import { openLocalStore, type OpenRepository } from '../build/index.ts';
import { familiarName, isReference, parseReference } from '../oci/index.ts';
import type { ImageRecord, Store } from '../store/index.ts';
import { currentPrivileges, enterUserNamespace, type Privileges } from '../system/index.ts';
import { Command } from './command.ts';
import { UiError } from './error.ts';

/** A command that works on this machine's store. */
export abstract class StoreCommand extends Command {
  /**
   * True for commands that touch files of images: an ordinary user runs them as root of a user namespace (DESIGN "Privilege"),
   * entered before anything else is done.
   */
  static ownsFiles = false;

  override async execute(): Promise<void> {
    if (this.privileges.kind !== 'none' || !(await this.ownsFiles())) return super.execute();
    const { code } = await enterUserNamespace([process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
      onSingleId: (reason) =>
        this.note(`WARNING: only one user id is to be had, owners are recorded but not set: ${reason}`),
    });
    process.exitCode = code;
  }

  /** As the static member says, unless a command can tell from its command line. */
  protected async ownsFiles(): Promise<boolean> {
    return (this.ctor as typeof StoreCommand).ownsFiles;
  }

  get privileges(): Privileges {
    return currentPrivileges();
  }

  /** Opens the store; whoever does closes it. */
  protected openStore(open?: OpenRepository): Promise<Store> {
    return openLocalStore({ privileges: this.privileges, open });
  }

  /** Opens the store for the length of `work`; `open` is for layers that are still in their registry. */
  protected async withStore<T>(work: (store: Store) => Promise<T>, open?: OpenRepository): Promise<T> {
    const store = await this.openStore(open);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }
}

/**
 * The image that a name or id stands for.
 * @throws UiError NO_SUCH_IMAGE, in docker's words
 */
export function requireImage(store: Store, reference: string): ImageRecord {
  const image = store.images.find(reference);
  if (image !== undefined) return image;
  throw noSuchImage(reference);
}

/** In docker's words. */
export function noSuchImage(name: string): UiError {
  const shown = isReference(name) ? familiarName(parseReference(name)) : name;
  return new UiError('NO_SUCH_IMAGE', `No such image: ${shown}`, {
    hint: '`slipway images` lists what is here; `slipway pull` fetches more.',
  });
}
