import { lstat, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  type CallOptions,
  type Descriptor,
  fetchBytes,
  isIndexType,
  type Manifest,
  parseManifest,
  type Platform,
  restrictPlatforms,
  verifiedChunks,
} from '../../oci/index.ts';
import { makeDirsInRoot, putFile, reasonOf, resolveInRoot } from '../../system/index.ts';
import { BuildError } from '../error.ts';
import type { ImagePlace, PlaceOptions } from '../images/image-place.ts';
import { openPlace } from '../images/open-place.ts';
import { titleAnnotation } from './artifact.ts';

export interface PullArtifactOptions extends PlaceOptions {
  /** The folder that the files go to; it is made where it is not there. */
  readonly output: string;
  readonly platform?: Platform | undefined;
  /** What of this type refers to the named image, where that is of another type. */
  readonly artifactType?: string | undefined;
  /** A file that is there is an error. */
  readonly keepFiles?: boolean | undefined;
}

/** A file that was written. */
export interface PulledFile {
  /** Below the folder. */
  readonly path: string;
  readonly descriptor: Descriptor;
}

export interface PulledArtifact {
  readonly descriptor: Descriptor;
  readonly artifactType: string;
  readonly files: readonly PulledFile[];
  /** Layers without a name are no files. */
  readonly unnamed: readonly Descriptor[];
}

/**
 * Writes the files of an artifact into a folder. Their names come from elsewhere: none leads out of the folder, by dots, by a slash in
 * front or by a link, and none is seen before it is complete and verified.
 * @throws BuildError IMAGE_INVALID for such names, IMAGE_NOT_FOUND, OUTPUT_INVALID
 */
export async function pullArtifact(text: string, options: PullArtifactOptions): Promise<PulledArtifact> {
  const { signal, output } = options;
  await using place = await openPlace(text, options);
  const { descriptor, manifest } = await chosen(place, options);
  const layers = manifest.layers.filter(({ annotations }) => annotations?.[titleAnnotation] !== undefined);
  const named = layers.map((layer) => ({ layer, path: safePath(layer.annotations?.[titleAnnotation] ?? '') }));
  requireDistinct(named.map(({ path }) => path));
  await mkdir(output, { recursive: true });
  const files: PulledFile[] = [];
  for (const { layer, path } of named) {
    const content = layer.data ?? (await place.target.fetch(layer, { signal }));
    await write(path, verifiedChunks(content, layer, { signal }), options);
    files.push({ path, descriptor: layer });
  }
  const unnamed = manifest.layers.filter((layer) => !layers.includes(layer));
  return { descriptor, artifactType: typeOf(manifest), files, unnamed };
}

/** The type of an artifact; of those of OCI 1.0 their config tells it. */
export function typeOf({ artifactType, config }: Manifest): string {
  return artifactType ?? config.mediaType;
}

async function chosen(
  place: ImagePlace,
  options: PullArtifactOptions,
): Promise<{ readonly descriptor: Descriptor; readonly manifest: Manifest }> {
  const { signal, platform, artifactType } = options;
  const root = await place.resolve({ signal });
  const descriptor = await restrictPlatforms(place.target, root, platform === undefined ? [] : [platform], { signal });
  if (!isIndexType(descriptor.mediaType)) {
    const manifest = await read(place, descriptor, { signal });
    if (artifactType === undefined || typeOf(manifest) === artifactType) return { descriptor, manifest };
  } else if (artifactType === undefined) {
    throw new BuildError('IMAGE_INVALID', `${place.text} is an index, no artifact`, {
      hint: '--platform chooses one of it',
    });
  }
  const found = await place.target.referrers(descriptor.digest, artifactType, { signal });
  const [only, ...others] = found;
  if (only === undefined)
    throw new BuildError('IMAGE_NOT_FOUND', `nothing of the type ${artifactType} refers to ${place.text}`);
  if (others.length > 0) {
    const hint = 'name one of them by its digest; `slipway artifact ls` tells them apart';
    throw new BuildError('IMAGE_INVALID', `${found.length} of the type ${artifactType} refer to ${place.text}`, {
      hint,
    });
  }
  return { descriptor: only, manifest: await read(place, only, { signal }) };
}

async function read({ target }: ImagePlace, descriptor: Descriptor, options: CallOptions): Promise<Manifest> {
  return parseManifest(await fetchBytes(target, descriptor, options), descriptor.mediaType);
}

/**
 * A name of a file, as a path below a folder.
 * @throws BuildError IMAGE_INVALID for one that would lead out of it, or nowhere
 */
export function safePath(title: string): string {
  const parts = title.split('/').filter((part) => part !== '' && part !== '.');
  const isWrong =
    title.startsWith('/') || title.includes('\0') || title.includes('\\') || parts.includes('..') || parts.length === 0;
  if (isWrong || Buffer.byteLength(title) > 4000)
    throw new BuildError('IMAGE_INVALID', `not a name for a file: ${JSON.stringify(title.slice(0, 300))}`);
  return parts.join('/');
}

function requireDistinct(paths: readonly string[]): void {
  const twice = paths.find((path, at) => paths.indexOf(path) !== at);
  if (twice !== undefined) throw new BuildError('IMAGE_INVALID', `two files have the name ${JSON.stringify(twice)}`);
}

async function write(
  path: string,
  content: AsyncIterable<Uint8Array>,
  { output, keepFiles = false }: PullArtifactOptions,
): Promise<void> {
  try {
    if (dirname(path) !== '.') makeDirsInRoot(output, Buffer.from(dirname(path)), { mode: 0o755 });
    using place = resolveInRoot(output, Buffer.from(path), { followFinal: false });
    const name = place.place.toString();
    await putFile(name, content, keepFiles ? { finish: () => requireAbsent(name, path) } : {});
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'OUTPUT_INVALID') throw error;
    const own = (error as { readonly name?: unknown }).name;
    if (own === 'OciError' || own === 'RegistryError') throw error;
    throw new BuildError('OUTPUT_FAILED', `cannot write ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

async function requireAbsent(name: string, path: string): Promise<void> {
  if ((await lstat(name).catch(() => undefined)) === undefined) return;
  throw new BuildError('OUTPUT_INVALID', `${path} is there already`, {
    hint: 'without --keep-old-files it is replaced',
  });
}
