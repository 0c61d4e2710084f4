import { string as argument } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { type Digest, familiarName, formatReference, isReference, parseReference } from '../oci/index.ts';
import type { Store } from '../store/index.ts';
import { forceFlag, requireImage, StoreCommand, UiError } from '../ui/index.ts';

export default class Rmi extends StoreCommand {
  static override summary = 'Remove images';
  static override description =
    'Takes names away; an image without names is deleted. Layers that nothing else needs go with it; what build steps left stays as cache until `prune`.';
  static override ownsFiles = true;
  static override args = { images: argument({ required: true, multiple: true, description: 'Names or ids' }) };
  static override flags = {
    force: forceFlag,
    'no-prune': boolean({ description: 'Keep an image that loses its last name' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Rmi);
    const failures: unknown[] = [];
    await this.withStore(async (store) => {
      for (const reference of args.images) {
        try {
          this.print(removeOne(store, reference, { force: flags.force, keep: flags['no-prune'] }).join('\n'));
        } catch (error) {
          failures.push(error);
        }
      }
      await store.collectGarbage({ signal: this.interrupted });
    });
    this.throwAll(failures);
  }
}

function removeOne(
  store: Store,
  reference: string,
  options: { readonly force: boolean; readonly keep: boolean },
): string[] {
  const image = requireImage(store, reference);
  const name = isReference(reference) ? formatReference(parseReference(reference)) : undefined;
  if (name !== undefined && image.names.includes(name)) {
    const ids = new Set([image.id, ...store.images.partsOf(name)]);
    const lines = store.images.untag(name).map(untaggedLine);
    if (options.keep) return lines;
    return [...lines, ...[...ids].filter((id) => isUnnamed(store, id)).flatMap((id) => deletedLines(store, id))];
  }
  if (image.names.length > 1 && !options.force) {
    throw new UiError(
      'IMAGE_IN_USE',
      `conflict: unable to delete ${reference} (must be forced) - image is referenced in multiple repositories`,
    );
  }
  const removed = store.images.remove(image.id);
  return [...removed.untagged.map(untaggedLine), ...removed.deleted.map((digest) => `Deleted: ${digest}`)];
}

/** Of an index each platform goes that nothing else names. */
function isUnnamed(store: Store, id: string): boolean {
  const image = store.images.find(id);
  return image !== undefined && image.names.length === 0 && image.partOf.length === 0;
}

function deletedLines(store: Store, id: Digest): string[] {
  return store.images.remove(id).deleted.map((digest) => `Deleted: ${digest}`);
}

function untaggedLine(name: string): string {
  return `Untagged: ${familiarName(parseReference(name))}`;
}
