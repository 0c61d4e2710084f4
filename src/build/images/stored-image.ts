import { type Platform, platformRank } from '../../oci/index.ts';
import type { ImageRecord, Store } from '../../store/index.ts';

/**
 * What the store has under a name for a platform: the best part of an index, whose name stands for the image of this machine's, else
 * the image itself.
 */
export function storedImage(store: Store, name: string, platform: Platform): ImageRecord | undefined {
  const parts = store.images.partsOf(name).map((id) => store.images.find(id));
  return best(parts, platform) ?? best([store.images.find(name)], platform);
}

function best(images: readonly (ImageRecord | undefined)[], platform: Platform): ImageRecord | undefined {
  const ranked = images.flatMap((image) => {
    const rank = image && platformRank(platform, image.platform);
    return rank === undefined ? [] : [{ rank, image }];
  });
  return ranked.toSorted((a, b) => a.rank - b.rank)[0]?.image;
}
