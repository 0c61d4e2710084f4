import { type Descriptor, isForeignLayerType, parseManifestOrIndex, type Target } from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import type { OpenRepository } from './resolve.ts';

/** Repositories that are asked for one blob: each attempt that fails costs two requests. */
const mostOrigins = 3;

/**
 * Other repositories of the destination's registry that are known to have a blob: the registry takes it from there, and no byte of it
 * moves.
 */
export function mountOrigins(
  store: Store,
  destination: Target,
  open: OpenRepository,
): (blob: Descriptor) => Promise<readonly Target[]> {
  const registry = registryOf(destination.label);
  if (registry === undefined) return () => Promise.resolve([]);
  return async ({ digest }) => {
    const near = store.content
      .sources(digest)
      .filter((source) => registryOf(source) === registry && source !== destination.label);
    return Promise.all(near.slice(0, mostOrigins).map((source) => open(source)));
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

/** The registry that a source is in; undefined for what is no registry. */
export function registryOf(source: string): string | undefined {
  return /^(?:oci:\/|s3:\/\/|gha:)/.test(source) ? undefined : source.slice(0, source.indexOf('/'));
}
