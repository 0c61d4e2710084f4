import {
  type CallOptions,
  type Descriptor,
  type Digest,
  fetchBytes,
  formatPlatform,
  isAttestation,
  isIndexType,
  parseIndex,
  type Platform,
  restrictPlatforms,
} from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import type { PlaceOptions } from '../images/image-place.ts';
import { openPlace } from '../images/open-place.ts';

export interface ReferrersOptions extends PlaceOptions {
  readonly artifactType?: string | undefined;
  readonly platform?: Platform | undefined;
}

/** What refers to an image, as its place lists it. */
export interface Referrers {
  readonly subject: Descriptor;
  readonly referrers: readonly Descriptor[];
}

/** Lists what refers to an image: signatures, SBOMs, whatever was attached. */
export async function listReferrers(text: string, options: ReferrersOptions): Promise<Referrers> {
  const { signal, platform, artifactType } = options;
  await using place = await openPlace(text, { ...options, allowRemote: true });
  const root = await place.resolve({ signal });
  const subject = await restrictPlatforms(place.target, root, platform === undefined ? [] : [platform], { signal });
  return { subject, referrers: await place.target.referrers(subject.digest, artifactType, { signal }) };
}

/** An image or artifact with what is in it and what refers to it. */
export interface ArtifactTree {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly artifactType?: string | undefined;
  readonly platform?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** The images of an index. */
  readonly manifests: readonly ArtifactTree[];
  readonly referrers: readonly ArtifactTree[];
}

/** Documents in one tree; more is an attack or a mistake. */
const maxDocuments = 1000;

/**
 * Follows referrers, and what refers to those; of an index also those of its images.
 * @throws BuildError IMAGE_INVALID for more than a thousand
 */
export async function artifactTree(text: string, options: ReferrersOptions): Promise<ArtifactTree> {
  const { signal, platform, artifactType } = options;
  await using place = await openPlace(text, { ...options, allowRemote: true });
  const root = await restrictPlatforms(
    place.target,
    await place.resolve({ signal }),
    platform === undefined ? [] : [platform],
    { signal },
  );
  const seen = new Set<Digest>([root.digest]);
  /** Each document stands once in the tree: a list that leads in a circle ends. */
  const fresh = (entries: readonly Descriptor[]): readonly Descriptor[] => {
    const found = entries.filter(({ digest }) => !seen.has(digest));
    for (const { digest } of found) seen.add(digest);
    if (seen.size > maxDocuments)
      throw new BuildError('IMAGE_INVALID', `${text}: more than ${maxDocuments} manifests refer to each other`);
    return found;
  };
  const branch = async (entry: Descriptor): Promise<ArtifactTree> => {
    const children = fresh(await imagesOf(place.target, entry, { signal }));
    const referrers = fresh(await place.target.referrers(entry.digest, undefined, { signal }));
    const manifests: ArtifactTree[] = [];
    for (const child of children) manifests.push(await branch(child));
    const attached: ArtifactTree[] = [];
    for (const each of referrers) attached.push(await branch(each));
    return {
      digest: entry.digest,
      mediaType: entry.mediaType,
      size: entry.size,
      artifactType: entry.artifactType,
      platform: entry.platform && !isAttestation(entry) ? formatPlatform(entry.platform) : undefined,
      annotations: entry.annotations,
      manifests,
      referrers: artifactType === undefined ? attached : attached.filter((each) => leadsTo(each, artifactType)),
    };
  };
  return branch(root);
}

function leadsTo(tree: ArtifactTree, type: string): boolean {
  return tree.artifactType === type || tree.referrers.some((each) => leadsTo(each, type));
}

async function imagesOf(
  from: Parameters<typeof fetchBytes>[0],
  entry: Descriptor,
  options: CallOptions,
): Promise<readonly Descriptor[]> {
  if (!isIndexType(entry.mediaType)) return [];
  return parseIndex(await fetchBytes(from, entry, options), entry.mediaType).manifests;
}
