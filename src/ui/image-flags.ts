import { integer, option } from '@oclif/core/flags';
import type { ImageForm } from '../store/index.ts';

/** In which form an image leaves the store. */
export const outputFormFlags = {
  compression: option({
    options: ['gzip', 'zstd', 'none'] as const,
    description: 'How new layers are compressed',
    default: 'gzip',
  })(),
  'compression-level': integer({ description: 'Level for new layers' }),
  'media-types': option({
    options: ['oci', 'docker'] as const,
    description: 'Whose media types the manifest uses',
    default: 'oci',
  })(),
};

export interface OutputFormValues {
  readonly compression: 'gzip' | 'zstd' | 'none';
  readonly 'compression-level': number | undefined;
  readonly 'media-types': 'oci' | 'docker';
}

export function toImageForm(flags: OutputFormValues): ImageForm {
  const level = flags['compression-level'];
  return {
    mediaTypes: flags['media-types'],
    compression: flags.compression,
    ...(level === undefined ? {} : { level }),
  };
}
