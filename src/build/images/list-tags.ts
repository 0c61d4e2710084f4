import { type CallOptions, formatName, formatReference, parseReference, withTag } from '../../oci/index.ts';
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

/** What `target.resolve` of a place takes for one of its tags: in the store a tag alone would be another image's name. */
export function nameIn({ kind, reference }: ImagePlace, tag: string): string {
  return kind === 'store' ? formatReference(withTag(parseReference(reference), tag)) : tag;
}
