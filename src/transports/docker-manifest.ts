import {
  type Descriptor,
  familiarName,
  formatReference,
  OciError,
  parseReference,
  type Reference,
} from '../oci/index.ts';
import { TransportError } from './error.ts';
import { imageName, refName } from './layout-index.ts';

/** One image of docker's manifest.json; paths within the archive. */
export interface SavedImage {
  readonly config: string;
  readonly repoTags: readonly string[];
  readonly layers: readonly string[];
}

/** Images in one archive, and layers in one image, that are read. */
const maxItems = 1000;

/** @throws TransportError INVALID_ARCHIVE */
export function parseDockerManifest(bytes: Buffer | undefined, label: string): readonly SavedImage[] {
  const invalid = (rule: string, cause?: unknown): never => {
    throw new TransportError('INVALID_ARCHIVE', `manifest.json of ${label} ${rule}`, { cause });
  };
  if (bytes === undefined) return invalid('is missing');
  let items: unknown;
  try {
    items = JSON.parse(bytes.toString());
  } catch (cause) {
    invalid('is not valid JSON', cause);
  }
  if (!Array.isArray(items) || items.length > maxItems) return invalid(`is not a list of up to ${maxItems} images`);
  return items.map((item: unknown) => {
    const { Config, RepoTags, Layers } = (item ?? {}) as { Config?: unknown; RepoTags?: unknown; Layers?: unknown };
    if (typeof Config !== 'string' || Config === '') return invalid('has an image without Config');
    return { config: Config, repoTags: strings(RepoTags, invalid), layers: strings(Layers, invalid) };
  });
}

function strings(value: unknown, invalid: (rule: string) => never): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > maxItems)
    return invalid(`has a list with over ${maxItems} items, or none`);
  const texts = value.filter((item): item is string => typeof item === 'string');
  return texts.length === value.length ? texts : invalid('has a list with something else than strings');
}

/** manifest.json as docker writes it. */
export function serializeDockerManifest(images: readonly SavedImage[]): Buffer {
  const items = images.map(({ config, repoTags, layers }) => ({
    Config: config,
    RepoTags: repoTags.length === 0 ? null : repoTags,
    Layers: layers,
  }));
  return Buffer.from(JSON.stringify(items));
}

/** Entries of index.json for one manifest: one per name, with docker's and the specification's annotations. */
export function namesOf(descriptor: Descriptor, names: readonly string[]): readonly Descriptor[] {
  const references = names.flatMap((name) => referenceOf(name) ?? []);
  if (references.length === 0) return [descriptor];
  return references.map((reference) => ({
    ...descriptor,
    annotations: {
      ...descriptor.annotations,
      [imageName]: formatReference(reference),
      [refName]: reference.tag ?? 'latest',
    },
  }));
}

/** The names as docker shows them (`debian:12`). */
export function repoTagsOf(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const reference = referenceOf(name);
    return reference === undefined ? [] : [familiarName(reference)];
  });
}

/** docker keeps names with tags only; what is no such name is left out rather than failing the whole archive. */
function referenceOf(name: string): Reference | undefined {
  try {
    const reference = parseReference(name);
    return reference.tag === undefined || reference.digest !== undefined ? undefined : reference;
  } catch (error) {
    if (error instanceof OciError) return undefined;
    throw error;
  }
}
