import type { Platform } from '../../oci/index.ts';
import type { ImageRecord, Store } from '../../store/index.ts';
import { parseLocation } from '../../transports/index.ts';
import type { PlaceOptions } from './image-place.ts';
import { openPlace } from './open-place.ts';
import { storedImage } from './stored-image.ts';
import { type ImageView, viewImage } from './view-image.ts';

/** An image of the store, or one elsewhere, of which no layer is here for that. */
export type FoundImage =
  | {
      readonly kind: 'store';
      readonly image: ImageRecord;
      /** Bytes of the unpacked layers, lowest first; undefined for one that was never here. */
      readonly layerSizes: readonly (number | undefined)[];
    }
  | {
      readonly kind: 'elsewhere';
      readonly view: ImageView;
      /** Its name in a registry; undefined in files. */
      readonly name: string | undefined;
    };

export interface FindOptions extends PlaceOptions {
  /** Which image of an index; of this machine unless given. */
  readonly platform?: Platform | undefined;
}

/**
 * The image that a text names as docker's commands do: in the store, unless it says another place (`docker://NAME`, `oci:PATH`).
 * A name that reads like a path's word and is in the store (`oci:latest`) is the store's. Undefined where the store has none.
 * @throws what `openPlace` and `viewImage` throw, StoreError AMBIGUOUS_ID
 */
export async function findImage(text: string, options: FindOptions): Promise<FoundImage | undefined> {
  const location = parseLocation(text, 'store');
  const mayBeName = !text.includes('://') && text !== '-';
  if (location.kind === 'store') return inStore(await options.openStore(), location.reference, options.platform);
  if (mayBeName && (await options.isInStore?.(text)) === true)
    return inStore(await options.openStore(), text, options.platform);
  await using place = await openPlace(text, options);
  const view = await viewImage(place, options);
  return { kind: 'elsewhere', view, name: location.kind === 'docker' ? location.reference : undefined };
}

function inStore(store: Store, name: string, platform: Platform | undefined): FoundImage | undefined {
  const image = platform === undefined ? store.images.find(name) : storedImage(store, name, platform);
  if (image === undefined) return undefined;
  return { kind: 'store', image, layerSizes: image.config.diffIds.map((diffId) => store.layerSize(diffId)) };
}
