import {
  type CallOptions,
  type Descriptor,
  type Digest,
  fetchBytes,
  isAttestation,
  isConfigType,
  isManifestType,
  type Manifest,
  parseImageConfig,
  parseManifest,
  parseManifestOrIndex,
  type Target,
} from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import { cacheConfigType, inlineMember, parseDocument, parseInlineDocument, type ReadDocument } from './document.ts';

/** BuildKit's media type for its cache's config, and its member of an image's config. */
const buildKitConfigType = 'application/vnd.buildkit.cacheconfig.v0';
const buildKitMember = 'moby.buildkit.cache.v0';
/** Images of an index that are looked into for an inline cache. */
const maxImages = 32;

/**
 * The caches behind a name: a cache manifest, or images with inline caches, one for each platform.
 * @throws OciError NOT_FOUND; BuildError CACHE_NOT_FOUND, CACHE_INVALID, CACHE_UNSUPPORTED (BuildKit's, or of a later version)
 */
export async function readCaches(
  from: Target,
  reference: string,
  options: CallOptions,
): Promise<readonly ReadDocument[]> {
  const root = await from.resolve(reference, options);
  const document = parseManifestOrIndex(await fetchBytes(from, root, options), root.mediaType);
  if (document.kind === 'manifest') return [await readManifestCache(from, document, options)];
  if (document.manifests.some(({ mediaType }) => mediaType === buildKitConfigType)) throw foreign();
  const found: ReadDocument[] = [];
  for (const image of document.manifests.filter(isImage).slice(0, maxImages)) {
    const manifest = parseManifest(await fetchBytes(from, image, options), image.mediaType);
    const inline = await readInline(from, manifest, options);
    if (inline !== undefined) found.push(inline);
  }
  if (found.length === 0) throw noCache();
  return found;
}

function isImage(entry: Descriptor): boolean {
  return isManifestType(entry.mediaType) && !isAttestation(entry);
}

async function readManifestCache(from: Target, manifest: Manifest, options: CallOptions): Promise<ReadDocument> {
  const { config, layers } = manifest;
  if (config.mediaType === cacheConfigType) return parseDocument(await fetchBytes(from, config, options), layers);
  if (config.mediaType === buildKitConfigType) throw foreign();
  const inline = await readInline(from, manifest, options);
  if (inline === undefined) throw noCache();
  return inline;
}

/** The layers of an image are told by its manifest; its config says which is which. */
async function readInline(from: Target, manifest: Manifest, options: CallOptions): Promise<ReadDocument | undefined> {
  if (!isConfigType(manifest.config.mediaType)) return undefined;
  const { diffIds, extra } = parseImageConfig(await fetchBytes(from, manifest.config, options));
  const member = extra?.[inlineMember];
  if (member === undefined) {
    if (extra?.[buildKitMember] !== undefined) throw foreign();
    return undefined;
  }
  const blobs = new Map<Digest, Descriptor>();
  if (diffIds.length === manifest.layers.length) {
    manifest.layers.forEach(({ mediaType, digest, size }, at) => {
      const diffId = diffIds[at];
      if (diffId !== undefined) blobs.set(diffId, { mediaType, digest, size });
    });
  }
  return { ...parseInlineDocument(member), blobs };
}

/** The error for a cache that another builder wrote. */
export function foreign(): BuildError {
  return new BuildError('CACHE_UNSUPPORTED', 'BuildKit wrote this cache, which only BuildKit can read');
}

function noCache(): BuildError {
  return new BuildError('CACHE_NOT_FOUND', 'the image has no cache in it');
}
