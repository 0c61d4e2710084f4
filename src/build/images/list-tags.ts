import { type CallOptions, formatName, parseReference } from '../../oci/index.ts';
import type { ImagePlace } from './image-place.ts';

/**
 * The tags of a repository, or the names that a layout or archive gives its images.
 * @throws OciError NOT_FOUND, and what the place throws
 */
export async function listTags(place: ImagePlace, options: CallOptions = {}): Promise<readonly string[]> {
  switch (place.kind) {
    case 'registry':
      return place.target.listTags(options);
    case 'file':
      return (await place.target.list()).flatMap(({ names }) => names);
    case 'store': {
      const prefix = `${formatName(parseReference(place.reference))}:`;
      const names = place.store.images.list().flatMap((image) => image.names);
      return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    }
  }
}
