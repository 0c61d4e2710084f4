import {
  attestedDigest,
  type CallOptions,
  describe,
  type Descriptor,
  type Digest,
  fetchBytes,
  formatPlatform,
  type ImageIndex,
  isAttestation,
  isConfigType,
  isIndexType,
  mediaTypes,
  normalizePlatform,
  parseImageConfig,
  parseIndex,
  parseManifest,
  type Platform,
  serializeIndex,
  type Target,
} from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import type { Annotation } from '../outputs/output.ts';
import { annotationsOn } from '../outputs/annotations.ts';
import type { ImagePlace } from '../images/image-place.ts';

/** What is joined: an image or index in an open place. */
export interface JoinSource extends Pick<ImagePlace, 'kind'> {
  /** As the user wrote it. */
  readonly text: string;
  readonly target: Target;
  readonly root: Descriptor;
  /** In place of what its config says. */
  readonly platform?: Platform | undefined;
}

export interface JoinOptions extends CallOptions {
  /** Only these; all unless given. */
  readonly platforms?: readonly Platform[] | undefined;
  readonly annotations: readonly Annotation[];
  readonly onWarning: (message: string) => void;
}

/** One entry of the new index, and where its content is. */
export interface JoinedEntry {
  readonly descriptor: Descriptor;
  readonly source: JoinSource;
}

/** An index that is made but not yet anywhere. */
export interface Joined {
  readonly descriptor: Descriptor;
  readonly content: Buffer;
  readonly entries: readonly JoinedEntry[];
}

/** An index whose entry is an index is an image again; more than this is an attack or a mistake. */
const maxDepth = 3;

/**
 * Makes an index of all images that the sources hold; indexes among them are dissolved. Where two are for one platform, the later one
 * counts, with a warning. What BuildKit attested of an image comes with it.
 * @throws BuildError IMAGE_INVALID for a source without a platform
 */
export async function joinImages(sources: readonly JoinSource[], options: JoinOptions): Promise<Joined> {
  const found: JoinedEntry[] = [];
  for (const source of sources) found.push(...(await entriesOf(source, source.root, options, 0)));
  const entries = chosen(found, options);
  if (entries.length === 0) throw new BuildError('IMAGE_NOT_FOUND', 'nothing is left to join');
  const annotations = annotationsOn('index', options.annotations);
  const isDocker =
    !annotations && entries.every(({ descriptor }) => descriptor.mediaType === mediaTypes.dockerManifest);
  const index: ImageIndex = {
    kind: 'index',
    mediaType: isDocker ? mediaTypes.dockerIndex : mediaTypes.ociIndex,
    manifests: entries.map(({ descriptor }) => descriptor),
    ...(annotations && { annotations }),
  };
  const content = serializeIndex(index);
  return { descriptor: describe(index.mediaType, content), content, entries };
}

async function entriesOf(
  source: JoinSource,
  descriptor: Descriptor,
  options: CallOptions,
  depth: number,
): Promise<readonly JoinedEntry[]> {
  if (!isIndexType(descriptor.mediaType))
    return [{ source, descriptor: await withPlatform(source, descriptor, options) }];
  if (depth >= maxDepth)
    throw new BuildError('IMAGE_INVALID', `${source.text}: indexes are nested more than ${maxDepth} deep`);
  const index = parseIndex(await fetchBytes(source.target, descriptor, options), descriptor.mediaType);
  const entries: JoinedEntry[] = [];
  for (const child of index.manifests) entries.push(...(await entriesOf(source, child, options, depth + 1)));
  return entries;
}

async function withPlatform(source: JoinSource, descriptor: Descriptor, options: CallOptions): Promise<Descriptor> {
  const { mediaType, digest, size, annotations } = descriptor;
  const plain = { mediaType, digest, size, ...(annotations && { annotations }) };
  if (isAttestation(descriptor)) return { ...plain, platform: { os: 'unknown', architecture: 'unknown' } };
  const platform = source.platform ?? descriptor.platform ?? (await platformOf(source, descriptor, options));
  return { ...plain, platform: normalizePlatform(platform) };
}

async function platformOf(
  { text, target }: JoinSource,
  descriptor: Descriptor,
  options: CallOptions,
): Promise<Platform> {
  const manifest = parseManifest(await fetchBytes(target, descriptor, options), descriptor.mediaType);
  if (!isConfigType(manifest.config.mediaType)) {
    throw new BuildError('IMAGE_INVALID', `${text} is no image: nothing says what platform it is for`, {
      hint: `say it with --platform os/arch=${text}`,
    });
  }
  return parseImageConfig(await fetchBytes(target, manifest.config, options)).platform;
}

/** Each platform once, in the order of its first appearance, its attestations behind it. */
function chosen(
  found: readonly JoinedEntry[],
  { platforms, annotations, onWarning }: JoinOptions,
): readonly JoinedEntry[] {
  const wanted = platforms && new Set(platforms.map(formatPlatform));
  const byPlatform = new Map<string, JoinedEntry>();
  for (const entry of found) {
    const { platform, digest } = entry.descriptor;
    if (platform === undefined || isAttestation(entry.descriptor)) continue;
    const name = formatPlatform(platform);
    if (wanted !== undefined && !wanted.has(name)) continue;
    const before = byPlatform.get(name);
    if (before !== undefined && before.descriptor.digest !== digest)
      onWarning(`${name}: ${entry.source.text} takes the place of ${before.source.text}`);
    byPlatform.set(name, entry);
  }
  return [...byPlatform.values()].flatMap((entry) => [
    annotatedEntry(entry, annotations),
    ...attestationsOf(entry.descriptor.digest, found),
  ]);
}

function annotatedEntry(entry: JoinedEntry, annotations: readonly Annotation[]): JoinedEntry {
  const { descriptor } = entry;
  const own = annotationsOn('manifest-descriptor', annotations, descriptor.platform);
  return own === undefined
    ? entry
    : { ...entry, descriptor: { ...descriptor, annotations: { ...descriptor.annotations, ...own } } };
}

function attestationsOf(digest: Digest, found: readonly JoinedEntry[]): readonly JoinedEntry[] {
  const mine = found.filter(
    ({ descriptor }) => isAttestation(descriptor) && descriptor.annotations?.[attestedDigest] === digest,
  );
  return [...new Map(mine.map((entry) => [entry.descriptor.digest, entry])).values()];
}
