import { copyGraph, type CallOptions, type CopyEvent, type Descriptor, digestOf, type Digest, formatReference, parseReference, targetReference, type Platform, withDigest } from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { type OpenRepository, readImage } from './resolve.ts';

export interface PullOptions extends CallOptions {
  readonly store: Store;
  readonly open: OpenRepository;
  readonly platform: Platform;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

export interface Pulled {
  readonly imageId: Digest;
  /** What the name stood for: an index or a manifest. */
  readonly root: Descriptor;
  /** Full name with tag or digest. */
  readonly name: string;
  /** False where the store had it already, under this name. */
  readonly changed: boolean;
}

/** Resolves, copies blobs and unpacks layers in one pass, names last (DESIGN "A pull"). */
export async function pullImage(name: string, options: PullOptions): Promise<Pulled> {
  const { store, signal } = options;
  const reference = parseReference(name);
  const fullName = formatReference(reference);
  const repository = await options.open(name);
  const root = await repository.resolve(targetReference(reference), { signal });
  const image = await readImage(repository, root, options.platform, { signal });
  const imageId = digestOf(image.configBytes);
  const before = store.images.find(fullName)?.id;
  store.expectImage(image.descriptor, image.config, image.manifest.layers);
  await copyGraph(repository, store.target, image.descriptor, { signal, onEvent: options.onEvent });
  await store.unpack(image.config.diffIds, { signal });
  const repoDigest = formatReference(withDigest(reference, root.digest));
  if (reference.digest === undefined) await store.target.tag(image.descriptor, fullName, { signal });
  store.images.addRepoDigest(imageId, repoDigest);
  return { imageId, root, name: fullName, changed: before !== imageId };
}
