import type { ContentReader } from '../../oci/index.ts';
import type { OpenRepository } from '../images/resolve.ts';

/**
 * Opens what the store calls the source of a layer that is not here: a repository, the folder, bucket or cache service of an
 * imported cache.
 */
export async function openLayerSource(source: string, open: OpenRepository): Promise<ContentReader> {
  if (source.startsWith('oci:/')) {
    const { openLayout } = await import('../../transports/index.ts');
    return openLayout(source.slice('oci:'.length));
  }
  if (source.startsWith('s3://')) {
    const { openS3Source } = await import('./s3/place.ts');
    return openS3Source(source);
  }
  if (source.startsWith('gha:')) {
    const { openGhaSource } = await import('./gha/place.ts');
    return openGhaSource(source);
  }
  return open(source);
}
