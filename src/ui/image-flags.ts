import { integer, option } from '@oclif/core/flags';
import { UsageError } from '../errors.ts';
import { type Compression, largestLevels } from '../oci/index.ts';
import type { ImageForm } from '../store/index.ts';

/** In which form an image leaves the store. */
export const outputFormFlags = {
  compression: option({
    options: ['gzip', 'zstd', 'none'] as const,
    description: 'How new layers are compressed; gzip unless given',
  })(),
  'compression-level': integer({ description: 'Level for new layers' }),
  'media-types': option({
    options: ['oci', 'docker'] as const,
    description: 'Whose media types the manifest uses; oci unless given',
  })(),
};

export interface OutputFormValues {
  readonly compression: 'gzip' | 'zstd' | 'none' | undefined;
  readonly 'compression-level': number | undefined;
  readonly 'media-types': 'oci' | 'docker' | undefined;
}

/** The form that was asked for; undefined where nothing was: then an image keeps the manifest that it has. */
export function toImageForm(flags: OutputFormValues): ImageForm | undefined {
  const { compression, 'compression-level': level, 'media-types': mediaTypes } = flags;
  if (compression === undefined && level === undefined && mediaTypes === undefined) return undefined;
  checkLevel(level, compression);
  return {
    mediaTypes: mediaTypes ?? 'oci',
    compression: compression ?? 'gzip',
    ...(level === undefined ? {} : { level }),
  };
}

/** @throws UsageError for a level that the compression does not know */
export function checkLevel(level: number | undefined, compression: Compression = 'gzip'): void {
  const most = largestLevels[compression];
  if (level !== undefined && (level < 0 || level > most))
    throw new UsageError(`--compression-level is a number from 0 to ${most} with ${compression}`);
}
