import { type Descriptor, isForeignLayerType, parseManifestOrIndex, type Target } from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { registryOf } from '../cache/layer-source.ts';
import type { OpenRepository } from './resolve.ts';

/**
 * Repositories that are known to have a blob: where the destination is in the same registry, it takes the blob from there, and no
 * byte of it moves.
 */
export function mountOrigins(store: Store, open: OpenRepository): (blob: Descriptor) => Promise<readonly Target[]> {
  return async ({ digest }) => {
    const sources = store.content.sources(digest).filter((source) => registryOf(source) !== undefined);
    return Promise.all(sources.map((source) => open(source)));
  };
}

/** A repository that took an image or index has its layers now: others can mount them, and what is lost here comes from there. */
export async function rememberLayers(root: Descriptor, repository: string, store: Store): Promise<void> {
  const document = parseManifestOrIndex(await store.content.read(root.digest), root.mediaType);
  if (document.kind === 'index') {
    for (const manifest of document.manifests) await rememberLayers(manifest, repository, store);
    return;
  }
  store.content.offer(
    document.layers.filter(({ mediaType }) => !isForeignLayerType(mediaType)),
    repository,
  );
}
