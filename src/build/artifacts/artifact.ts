import { basename, isAbsolute, normalize } from 'node:path';
import {
  type CallOptions,
  type CopyEvent,
  compact,
  type Descriptor,
  type Manifest,
  mediaTypes,
  parseReference,
  type Platform,
  restrictPlatforms,
  serializeManifest,
} from '../../oci/index.ts';
import { parseLocation } from '../../transports/index.ts';
import { BuildError } from '../error.ts';
import { deliver, type Destination, destinationFor, type EditedImage } from '../edit/edit-image.ts';
import { Workbench } from '../edit/workbench.ts';
import { openBlobFile } from '../images/blob-file.ts';
import type { PlaceOptions } from '../images/image-place.ts';
import { openPlace } from '../images/open-place.ts';
import { timeOf } from '../plan/epoch-time.ts';

/** The name of a layer's file (image-spec, annotations.md). */
export const titleAnnotation = 'org.opencontainers.image.title';
const createdAnnotation = 'org.opencontainers.image.created';

/** What an artifact is of which nobody says it; oras's word. */
const unknownArtifact = 'application/vnd.unknown.artifact.v1';
const unknownConfig = 'application/vnd.unknown.config.v1+json';
const unknownFile = 'application/octet-stream';

/** A file, and what it is. */
export interface ArtifactFile {
  readonly path: string;
  readonly mediaType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** What an artifact consists of. */
export interface ArtifactContent {
  readonly files: readonly ArtifactFile[];
  readonly artifactType?: string | undefined;
  /** In place of the empty one. */
  readonly config?: ArtifactFile | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Seconds since 1970, for the annotation that tells when it was made; none unless given. */
  readonly epoch?: number | undefined;
}

export interface PushArtifactOptions extends PlaceOptions {
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

/**
 * Stores files as an artifact; each file is a layer that bears its name (image-spec, manifest.md "Guidelines for Artifact Usage").
 * @param text a place; a repository without a tag gets it without one
 * @throws BuildError OUTPUT_INVALID; what the place throws
 */
export async function pushArtifact(
  text: string,
  content: ArtifactContent,
  options: PushArtifactOptions,
): Promise<EditedImage> {
  return store(destinationOf(text), content, { ...options, subject: undefined });
}

export interface AttachOptions extends PushArtifactOptions {
  /** Of an index, the image for this is the subject. */
  readonly platform?: Platform | undefined;
}

/** Stores files as an artifact that refers to an image, beside it. */
export async function attachArtifact(
  text: string,
  content: ArtifactContent,
  options: AttachOptions,
): Promise<EditedImage> {
  const { signal, platform } = options;
  await using place = await openPlace(text, options);
  const root = await place.resolve({ signal });
  const chosen = await restrictPlatforms(place.target, root, platform === undefined ? [] : [platform], { signal });
  const { mediaType, digest, size } = chosen;
  const made = await store(destinationFor({}, place), content, { ...options, subject: { mediaType, digest, size } });
  return { ...made, before: chosen };
}

async function store(
  destination: Destination,
  content: ArtifactContent,
  options: PushArtifactOptions & { readonly subject: Descriptor | undefined },
): Promise<EditedImage> {
  if (parseLocation(destination.text).kind === 'store')
    throw new BuildError('UNSUPPORTED', 'the store holds images, no artifacts', {
      hint: 'oci:PATH is a place for them',
    });
  await using bench = new Workbench();
  const descriptor = await makeArtifact(bench, content, options);
  const name = await deliver(bench, descriptor, destination, { ...options, onWarning: () => undefined });
  return { name, before: undefined, descriptor };
}

async function makeArtifact(
  bench: Workbench,
  content: ArtifactContent,
  { subject, signal }: CallOptions & { readonly subject: Descriptor | undefined },
): Promise<Descriptor> {
  const layers: Descriptor[] = [];
  for (const file of content.files) layers.push(await layerOf(bench, file, { signal }));
  requireDistinct(layers);
  const none = { ...bench.add(mediaTypes.ociEmpty, Buffer.from('{}')), data: Buffer.from('{}') };
  const { artifactType, config, epoch } = content;
  const created = epoch === undefined ? {} : { [createdAnnotation]: timeOf(epoch) };
  const annotations = { ...created, ...content.annotations };
  const manifest = compact<Manifest>({
    kind: 'manifest',
    mediaType: mediaTypes.ociManifest,
    artifactType: artifactType ?? (config === undefined ? unknownArtifact : undefined),
    config:
      config === undefined ? none : await blobOf(bench, { mediaType: unknownConfig, ...compact(config) }, { signal }),
    layers: layers.length === 0 ? [none] : layers,
    subject,
    annotations: Object.keys(annotations).length === 0 ? undefined : annotations,
  });
  return bench.add(manifest.mediaType, serializeManifest(manifest));
}

async function layerOf(bench: Workbench, file: ArtifactFile, options: CallOptions): Promise<Descriptor> {
  const blob = await blobOf(bench, { mediaType: unknownFile, ...compact(file) }, options);
  return { ...blob, annotations: { [titleAnnotation]: titleOf(file.path), ...file.annotations } };
}

async function blobOf(
  bench: Workbench,
  { path, mediaType }: { readonly path: string; readonly mediaType: string },
  options: CallOptions,
): Promise<Descriptor> {
  const { blob } = await openBlobFile(path, 'sha256', options).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const descriptor = { ...blob, mediaType };
  bench.addFile(descriptor, path);
  return descriptor;
}

/** A path within the working folder is kept, of any other the last part. */
function titleOf(path: string): string {
  const plain = normalize(path);
  return isAbsolute(plain) || plain.split('/').includes('..') ? basename(plain) : plain;
}

function requireDistinct(layers: readonly Descriptor[]): void {
  const titles = layers.map(({ annotations }) => annotations?.[titleAnnotation]);
  const twice = titles.find((title, at) => titles.indexOf(title) !== at);
  if (twice !== undefined)
    throw new BuildError('OUTPUT_INVALID', `two files would have the name ${JSON.stringify(twice)}`, { exitCode: 125 });
}

function unreadable(path: string, cause: unknown): BuildError {
  const isFolder = (cause as { readonly code?: unknown }).code === 'EISDIR';
  const why = isFolder ? 'it is a folder' : (cause as Error).message;
  const hint = isFolder ? 'pack it, or name its files' : undefined;
  return new BuildError('SOURCE_NOT_FOUND', `cannot read ${path}: ${why}`, { cause, hint });
}

/** A repository without a tag gets none. */
function destinationOf(text: string): Destination {
  const location = parseLocation(text);
  if ('path' in location) return { text, named: true };
  const { tag } = parseReference(location.reference, { keepUntagged: true });
  return { text, named: tag !== undefined };
}
