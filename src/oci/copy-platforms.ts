import { describe, type Descriptor } from './descriptor.ts';
import type { ImageIndex } from './manifest.ts';
import { isIndexType } from './media-types.ts';
import { parseIndex } from './parse-manifest.ts';
import { isAttestation, selectManifest } from './platform-match.ts';
import type { Platform } from './platform.ts';
import { fetchBytes } from './read-content.ts';
import { serializeIndex } from './serialize.ts';
import type { CallOptions, ContentReader } from './target.ts';

/** BuildKit's word for the manifest that an attestation is about. */
export const attestedDigest = 'vnd.docker.reference.digest';

/**
 * The part of `root` that is for `platforms`; a smaller index is new content and carried in the descriptor's `data`.
 * @throws OciError NO_MATCHING_PLATFORM
 */
export async function restrictPlatforms(
  from: ContentReader,
  root: Descriptor,
  platforms: readonly Platform[],
  options: CallOptions,
): Promise<Descriptor> {
  if (platforms.length === 0) return root;
  let current = root;
  // An index in an index is an image again; the graph walk refuses more than three levels.
  for (let depth = 0; depth < 3 && isIndexType(current.mediaType); depth += 1) {
    const index = parseIndex(await fetchBytes(from, current, options), current.mediaType);
    const chosen = new Set(platforms.map((platform) => selectManifest(index, platform)));
    const [only] = chosen;
    if (chosen.size > 1 || only === undefined) return smallerIndex(current, index, chosen);
    current = only;
  }
  return current;
}

function smallerIndex(root: Descriptor, index: ImageIndex, chosen: ReadonlySet<Descriptor>): Descriptor {
  const digests = new Set<string>([...chosen].map(({ digest }) => digest));
  const manifests = index.manifests.filter(
    (each) => chosen.has(each) || (isAttestation(each) && digests.has(each.annotations?.[attestedDigest] ?? '')),
  );
  if (manifests.length === index.manifests.length) return root;
  const content = serializeIndex({ ...index, manifests });
  return { ...describe(index.mediaType, content), data: content };
}
