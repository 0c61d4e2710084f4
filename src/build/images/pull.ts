import {
  type Descriptor,
  type Digest,
  formatReference,
  hostPlatform,
  isAttestation,
  isIndexType,
  parseManifestOrIndex,
  parseReference,
  type Platform,
  platformRank,
  type Reference,
  targetReference,
  withDigest,
  withTag,
} from '../../oci/index.ts';
import type { RepositoryTarget } from '../../registry/index.ts';
import type { Store } from '../../store/index.ts';
import { BuildError } from '../error.ts';
import type { OpenRegistryRepository } from './image-place.ts';
import { takeImages, type TakeOptions } from './take.ts';

/** Where a pull reads and what it takes. */
export interface PullOptions extends Omit<TakeOptions, 'platform'> {
  readonly open: OpenRegistryRepository;
  /** Several make an index of the store; this machine's unless given. */
  readonly platforms?: readonly Platform[] | undefined;
}

/** What a pull brought. */
export interface Pulled {
  /** Of an index, the image that this machine would run, or the first. */
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
  const reference = parseReference(name);
  return pullReference(await options.open(name), reference, options);
}

/**
 * Pulls every tag of a repository; the tag or digest of `name` does not matter.
 * @param options `onTag` hears of each before it is pulled
 */
export async function pullAllTags(
  name: string,
  options: PullOptions & { readonly onTag?: ((tag: string) => void) | undefined },
): Promise<readonly Pulled[]> {
  const reference = parseReference(name);
  const repository = await options.open(name);
  const pulled: Pulled[] = [];
  for (const tag of await repository.listTags({ signal: options.signal })) {
    options.onTag?.(tag);
    pulled.push(await pullReference(repository, withTag(reference, tag), options));
  }
  return pulled;
}

async function pullReference(
  repository: RepositoryTarget,
  reference: Reference,
  { open: _, platforms = [], ...options }: PullOptions,
): Promise<Pulled> {
  const { store, signal } = options;
  const fullName = formatReference(reference);
  const before = store.images.find(fullName);
  // of a name that is known, the answer is most likely what is here already
  const root = await repository.resolve(targetReference(reference), { signal, reads: before === undefined });
  const isTag = reference.digest === undefined;
  const beforeRoot = isTag ? store.images.rootOf(fullName)?.digest : undefined;
  const wanted = platforms.length === 0 ? [hostPlatform()] : platforms;
  const taken = await takeImages(repository, root, { ...options, platforms: wanted });
  if (isTag) await store.target.tag(taken, fullName, { signal });
  const imageId = await imageOf(taken, store);
  store.images.addRepoDigest(imageId, formatReference(withDigest(reference, root.digest)));
  const isIndex = isIndexType(taken.mediaType);
  const changed = isIndex && isTag ? beforeRoot !== taken.digest : before?.id !== imageId;
  return { imageId, root, name: fullName, changed };
}

/** The image behind a manifest or index of the store. */
async function imageOf(root: Descriptor, store: Store): Promise<Digest> {
  const document = parseManifestOrIndex(await store.content.read(root.digest), root.mediaType);
  if (document.kind === 'manifest') return document.config.digest;
  const images = document.manifests.filter((each) => !isAttestation(each));
  const best = images.find(({ platform }) => platform !== undefined && platformRank(hostPlatform(), platform) === 0);
  const chosen = best ?? images[0];
  if (chosen === undefined) throw new BuildError('IMAGE_INVALID', `${root.digest} lists no image`);
  return imageOf(chosen, store);
}
