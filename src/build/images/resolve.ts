import {
  type CallOptions,
  type ContentReader,
  copyGraph,
  type Descriptor,
  fetchBytes,
  formatReference,
  type ImageConfig,
  isManifestType,
  type Manifest,
  parseImageConfig,
  parseManifest,
  parseReference,
  type Platform,
  restrictPlatforms,
  targetReference,
  type Target,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { storedImage } from './stored-image.ts';

/** An image that steps can start from: its config is here, its layers are here or can be had. */
export interface ResolvedImage {
  readonly config: ImageConfig;
  /** `name@sha256:…`, for messages and provenance. */
  readonly pinned: string;
}

export interface ResolveOptions extends CallOptions {
  readonly pull: boolean;
}

/** Opens the repository of a reference; given by the caller so that this file knows no credentials. */
export type OpenRepository = (name: string, access?: 'pull' | 'push') => Promise<Target>;

/**
 * Finds an image by name: in the store, else in its registry, from which only manifest and config come now (DESIGN idea 5).
 * @throws BuildError IMAGE_NOT_FOUND
 */
export async function resolveImage(
  name: string,
  platform: Platform,
  { store, open, ...options }: ResolveOptions & { readonly store: Store; readonly open: OpenRepository },
): Promise<ResolvedImage> {
  const here = options.pull ? undefined : storedImage(store, name, platform);
  if (here !== undefined) return { config: here.config, pinned: `${name}@${here.manifest?.digest ?? here.id}` };
  const reference = parseReference(name);
  const repository = await open(name);
  const root = await repository.resolve(targetReference(reference), options);
  const found = await readImage(preferStore(store, repository), root, platform, options);
  if (!isKnown(store, found)) {
    await store.content.push(found.manifest.config, found.configBytes, options);
    store.adoptRemote(found.config, found.manifest.layers, repository.label);
    await store.content.push(found.descriptor, found.manifestBytes, options);
  }
  return { config: found.config, pinned: `${formatReference(reference)}@${root.digest}` };
}

/**
 * Takes an image from a layout into the store, layers and all.
 * @throws BuildError IMAGE_NOT_FOUND
 */
export async function importImage(
  from: Target,
  reference: string,
  { store, platform, ...options }: CallOptions & { readonly store: Store; readonly platform: Platform },
): Promise<ResolvedImage> {
  const root = await from.resolve(reference, options);
  const found = await readImage(from, root, platform, options);
  if (!isKnown(store, found)) {
    store.expectImage(found.descriptor, found.config, found.manifest.layers);
    await copyGraph(from, withoutImage(store), found.descriptor, { ...options, existing: 'look-inside' });
  }
  return { config: found.config, pinned: `${from.label}@${root.digest}` };
}

/** Whether the store has, or can have, all that an image consists of. */
function isKnown(store: Store, { descriptor, manifest }: FoundImage): boolean {
  return [descriptor, manifest.config, ...manifest.layers].every(
    (each) => store.content.state(each.digest) !== undefined,
  );
}

/** Reads documents from the store where it has them: what a digest names does not change. */
export function preferStore(store: Store, repository: Target): ContentReader & { readonly label: string } {
  return {
    label: repository.label,
    exists: (descriptor, options) => repository.exists(descriptor, options),
    fetch: (descriptor, options) =>
      (store.content.state(descriptor.digest) === 'present' ? store.content : repository).fetch(descriptor, options),
  };
}

/** The store as a destination that keeps a manifest as content alone: a base of a build is no image of its own in lists. */
function withoutImage({ target, content }: Store): Target {
  return {
    label: target.label,
    fetch: (descriptor, options) => target.fetch(descriptor, options),
    exists: (descriptor, options) => target.exists(descriptor, options),
    push: (descriptor, bytes, options) =>
      (isManifestType(descriptor.mediaType) ? content : target).push(descriptor, bytes, options),
    ...(target.pushFrom && { pushFrom: target.pushFrom.bind(target) }),
    resolve: (reference, options) => target.resolve(reference, options),
    tag: (descriptor, reference, options) => target.tag(descriptor, reference, options),
    referrers: (digest, artifactType, options) => target.referrers(digest, artifactType, options),
  };
}

interface FoundImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
}

/** Reads manifest and config of what `root` offers for a platform. */
export async function readImage(
  from: ContentReader & { readonly label: string },
  root: Descriptor,
  platform: Platform,
  options: CallOptions,
): Promise<FoundImage> {
  const descriptor = await restrictPlatforms(from, root, [platform], options);
  const manifestBytes = await fetchBytes(from, descriptor, options);
  const manifest = parseManifest(manifestBytes, descriptor.mediaType);
  const configBytes = await fetchBytes(from, manifest.config, options);
  return { descriptor, manifest, manifestBytes, config: parseImageConfig(configBytes), configBytes };
}
