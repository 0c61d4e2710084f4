import type { FoundImage } from '../build/index.ts';
import {
  type Descriptor,
  familiarName,
  formatPlatform,
  type ImageConfig,
  isAttestation,
  parseReference,
  type Platform,
  runConfigToJson,
  withDigest,
  withTag,
} from '../oci/index.ts';
import type { ImageRecord } from '../store/index.ts';
import type { Row } from './list.ts';
import type { Value } from './template/value.ts';

/** An image as `docker inspect` shows it; one that is elsewhere with its blobs and, of an index, the platforms. */
export function inspectImage(found: FoundImage): Row {
  return found.kind === 'store' ? inspectStored(found.image) : inspectElsewhere(found);
}

function inspectStored(image: ImageRecord): Row {
  return {
    ...headOf(image.id, {
      tags: image.names.map((name) => familiarName(parseReference(name))),
      digests: image.repoDigests.map((name) => familiarName(parseReference(name))),
    }),
    ...configOf(image.config, image.platform),
    Size: image.size,
    RootFS: { Type: 'layers', Layers: [...image.config.diffIds] },
    ...(image.manifest === undefined ? {} : { Descriptor: descriptorOf(image.manifest) }),
  };
}

/** Size is that of the blobs: what the layers come to nobody can say without reading them. */
function inspectElsewhere({ name, view }: Extract<FoundImage, { kind: 'elsewhere' }>): Row {
  const { root, entries, manifest, id, config, layers } = view;
  const platforms = entries.filter((each) => !isAttestation(each)).flatMap(({ platform }) => platform ?? []);
  return {
    ...headOf(id.digest, namesOf(name, root)),
    ...configOf(config, config.platform),
    Size: layers.reduce((sum, { size }) => sum + size, 0),
    RootFS: { Type: 'layers', Layers: [...config.diffIds] },
    Descriptor: descriptorOf(manifest),
    Layers: layers.map(descriptorOf),
    ...(root.digest === manifest.digest
      ? {}
      : { Index: { ...descriptorOf(root), platforms: platforms.map((each) => formatPlatform(each)) } }),
  };
}

interface Names {
  readonly tags: readonly string[];
  readonly digests: readonly string[];
}

function namesOf(name: string | undefined, { digest }: Descriptor): Names {
  if (name === undefined) return { tags: [], digests: [] };
  const reference = parseReference(name);
  const { tag } = reference;
  const pinned = familiarName(withDigest(reference, digest));
  return { tags: tag === undefined ? [] : [familiarName(withTag(reference, tag))], digests: [pinned] };
}

function headOf(id: string, { tags, digests }: Names): Record<string, Value> {
  return { Id: id, RepoTags: [...tags], RepoDigests: [...digests], Parent: '' };
}

function configOf(config: ImageConfig, { os, architecture, variant }: Platform): Record<string, Value> {
  return {
    Comment: config.history.at(-1)?.comment ?? '',
    Created: config.created ?? '',
    Author: config.author ?? '',
    Config: runConfigToJson(config.config) as Value,
    Architecture: architecture,
    ...(variant === undefined ? {} : { Variant: variant }),
    Os: os,
  };
}

function descriptorOf({ mediaType, digest, size }: Descriptor): Row {
  return { mediaType, digest, size };
}
