import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Descriptor, isDigest, type Platform, restrictPlatforms } from '../../oci/index.ts';
import { parseLocation } from '../../transports/index.ts';
import type { ImagePlace, PlaceOptions } from '../images/image-place.ts';
import { openPlace } from '../images/open-place.ts';
import type { ValidationReport } from './report.ts';
import { Validation } from './validation.ts';

export interface ValidateOptions extends PlaceOptions {
  /** Only these of an index; all unless given. */
  readonly platforms?: readonly Platform[] | undefined;
  /** Layers are not read: it is only asked whether they are there. */
  readonly fast: boolean;
  /** Hears of each layer that is read. */
  readonly onLayer?: ((layer: Descriptor) => void) | undefined;
}

/**
 * Checks an image, or all that a layout or archive holds where no name in it is given: sizes, digests, what documents say of each other,
 * and that layers are what the config says.
 * @throws OciError NOT_FOUND where the name stands for nothing; what the place throws where it cannot be asked
 */
export async function validate(text: string, options: ValidateOptions): Promise<ValidationReport> {
  const { signal, platforms = [] } = options;
  await using place = await openPlace(text, options);
  const validation = new Validation(place.target, options);
  if (place.kind === 'file' && place.reference === '') {
    for (const { descriptor } of await place.target.list()) await validation.check(descriptor);
    await findUnused(place, validation);
  } else {
    await validation.check(
      await restrictPlatforms(place.target, await place.resolve({ signal }), platforms, { signal }),
    );
  }
  return validation.report();
}

/** Blobs of a layout folder that nothing leads to. */
async function findUnused({ text }: ImagePlace, validation: Validation): Promise<void> {
  const location = parseLocation(text);
  if (!('path' in location) || location.kind !== 'oci') return;
  const blobs = join(location.path, 'blobs');
  for (const algorithm of await namesIn(blobs)) {
    for (const name of await namesIn(join(blobs, algorithm))) {
      const digest = `${algorithm}:${name}`;
      const file = `blobs/${algorithm}/${name}`;
      if (!isDigest(digest)) validation.warn('unusual', file, 'is not called after a digest');
      else if (!validation.hasSeen(digest)) validation.warn('unused', digest, `nothing in index.json leads to ${file}`);
    }
  }
}

/** What a folder holds, in order; nothing where there is none. */
async function namesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = await readdir(folder).catch(() => []);
  return names.toSorted();
}
