import {
  copyGraph,
  type CallOptions,
  type CopyEvent,
  type Descriptor,
  type Digest,
  formatReference,
  parseReference,
  type Platform,
  restrictPlatforms,
  withDigest,
} from '../../oci/index.ts';
import type { ImageForm, Store } from '../../store/index.ts';
import { mountOrigins, rememberLayers } from './mount-origins.ts';
import type { OpenRepository } from './resolve.ts';

/** Where a push reads and what it sends. */
export interface PushOptions extends CallOptions {
  readonly store: Store;
  readonly open: OpenRepository;
  /** The manifest or index that the name stands for, unless given. */
  readonly form?: ImageForm | undefined;
  /** Only these of an index; all unless given. */
  readonly platforms?: readonly Platform[] | undefined;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

/** What a push left at the registry. */
export interface Pushed {
  readonly descriptor: Descriptor;
  /** `repository@digest`. */
  readonly repoDigest: string;
  readonly tag: string;
}

/** Makes the image's manifest if it has none, copies what the registry lacks, and tags last (DESIGN "A push"). */
export async function pushImage(imageId: Digest, name: string, options: PushOptions): Promise<Pushed> {
  const { store, signal } = options;
  const reference = parseReference(name);
  const tag = reference.tag ?? 'latest';
  const repository = await options.open(name, 'push');
  const how = { signal, allowRemote: true };
  const { form } = options;
  const root = await (form === undefined ? store.manifestOf(name, how) : store.materialize(imageId, form, how));
  const { data, ...descriptor } = await restrictPlatforms(store.target, root, options.platforms ?? [], { signal });
  // An index of some of them is new: it is told to the store, which then knows what the digest was.
  if (data !== undefined) await store.target.push(descriptor, data, { signal });
  const mountFrom = mountOrigins(store, repository, options.open);
  const { onEvent } = options;
  await copyGraph(store.target, repository, descriptor, {
    signal,
    onEvent,
    mountFrom,
    memory: store.transfers,
    names: [tag],
  });
  const repoDigest = `${formatReference(withDigest(reference, descriptor.digest))}`;
  store.images.addRepoDigest(imageId, repoDigest);
  await rememberLayers(descriptor, repository.label, store);
  return { descriptor, repoDigest, tag };
}
