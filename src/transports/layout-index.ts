import {
  type Descriptor,
  type Digest,
  formatReference,
  type ImageIndex,
  isAttestation,
  isDigest,
  mediaTypes,
  OciError,
  parseIndex,
  parseReference,
} from '../oci/index.ts';
import { TransportError } from './error.ts';
import { type LayoutFiles, readDocument } from './layout-files.ts';

/** The name of an entry of index.json (image-spec, annotations.md); in practice a tag. */
export const refName = 'org.opencontainers.image.ref.name';
/** containerd's and docker's full name beside it. */
export const imageName = 'io.containerd.image.name';

/** One manifest that a layout lists, with the names it has there; a name is a tag or a full image name. */
export interface NamedManifest {
  readonly descriptor: Descriptor;
  readonly names: readonly string[];
}

/** @throws OciError INVALID_MANIFEST, TOO_LARGE; TransportError NOT_A_LAYOUT */
export async function readIndex(files: LayoutFiles): Promise<ImageIndex> {
  const bytes = await readDocument(files, 'index.json');
  if (bytes === undefined) throw new TransportError('NOT_A_LAYOUT', `${files.label} has no index.json`);
  return parseIndex(bytes, mediaTypes.ociIndex);
}

export const emptyIndex: ImageIndex = { kind: 'index', mediaType: mediaTypes.ociIndex, manifests: [] };

/**
 * The entry for `reference`: a tag, a full name, a digest with or without `@`, or nothing where the layout holds one image.
 * undefined for a digest that is not listed, which may be a nested manifest.
 * @throws OciError NOT_FOUND; TransportError AMBIGUOUS_REFERENCE
 */
export function findEntry(index: ImageIndex, reference: string, label: string): Descriptor | undefined {
  const bare = reference.replace(/^@/, '');
  if (isDigest(bare)) {
    const listed = index.manifests.find(({ digest }) => digest === bare);
    return listed && withoutNames(listed);
  }
  return reference === '' ? onlyImage(index, label) : namedEntry(index, reference, label);
}

function namedEntry(index: ImageIndex, name: string, label: string): Descriptor {
  const full = fullName(name);
  const byTag = index.manifests.filter(({ annotations }) => annotations?.[refName] === name);
  const byName = index.manifests.filter(({ annotations }) => {
    const image = annotations?.[imageName];
    return image !== undefined && (image === name || image === full);
  });
  const found = byName.length > 0 ? byName : byTag;
  const names = listNames(index).slice(0, 20);
  return oneOf(
    found,
    `${JSON.stringify(name)} is not in ${label}`,
    `${label} has several images named ${JSON.stringify(name)}`,
    {
      absent: names.length === 0 ? undefined : `it has ${names.join(', ')}`,
    },
  );
}

/** `debian` asks for `docker.io/library/debian:latest` where entries have full names. */
function fullName(name: string): string | undefined {
  try {
    return formatReference(parseReference(name));
  } catch {
    return undefined;
  }
}

/** Signatures and the like stand in index.json too; they do not make the image ambiguous. */
function onlyImage(index: ImageIndex, label: string): Descriptor {
  const images = index.manifests.filter((each) => each.artifactType === undefined && !isAttestation(each));
  const candidates = images.length > 0 ? images : index.manifests;
  const names = listNames(index).slice(0, 20);
  return oneOf(candidates, `${label} is empty`, `${label} holds several images`, {
    several: names.length === 0 ? 'name one by @digest' : `name one of ${names.join(', ')}`,
  });
}

function oneOf(
  found: readonly Descriptor[],
  absent: string,
  several: string,
  hints: { readonly absent?: string | undefined; readonly several?: string },
): Descriptor {
  const [first] = found;
  if (first === undefined) throw new OciError('NOT_FOUND', absent, { hint: hints.absent });
  if (found.every(({ digest }) => digest === first.digest)) return withoutNames(first);
  const digests = found.slice(0, 10).map(({ digest }) => digest);
  const hint = hints.several ?? `name one by @digest: ${digests.join(', ')}`;
  throw new TransportError('AMBIGUOUS_REFERENCE', several, { hint });
}

function listNames(index: ImageIndex): readonly string[] {
  return [...new Set(index.manifests.flatMap(({ annotations }) => annotations?.[refName] ?? []))];
}

/** What the layout lists, each digest once, with all its names. */
export function namedManifests(index: ImageIndex): readonly NamedManifest[] {
  const found = new Map<Digest, { descriptor: Descriptor; names: Set<string> }>();
  for (const entry of index.manifests) {
    const known = found.get(entry.digest) ?? { descriptor: withoutNames(entry), names: new Set<string>() };
    const name = entry.annotations?.[imageName] ?? entry.annotations?.[refName];
    if (name !== undefined) known.names.add(name);
    found.set(entry.digest, known);
  }
  return [...found.values()].map(({ descriptor, names }) => ({ descriptor, names: [...names] }));
}

/** The index with `descriptor` under `name` (without a name if it is empty); the name leaves whatever had it. */
export function withEntry(index: ImageIndex, descriptor: Descriptor, name: string): ImageIndex {
  if (name === '' && index.manifests.some(({ digest }) => digest === descriptor.digest)) return index;
  const { data: _, ...lean } = withoutNames(descriptor);
  const others = index.manifests.filter((each) => {
    const itsName = each.annotations?.[refName] ?? '';
    return itsName === '' ? each.digest !== descriptor.digest : itsName !== name;
  });
  const named = name === '' ? lean : { ...lean, annotations: { ...lean.annotations, [refName]: name } };
  return { ...index, manifests: [...others, named] };
}

/** The index without a name; what has no other is not listed any more. */
export function withoutName(index: ImageIndex, name: string): ImageIndex {
  const full = fullName(name);
  const hasName = ({ annotations }: Descriptor): boolean => {
    const image = annotations?.[imageName];
    return annotations?.[refName] === name || (image !== undefined && (image === name || image === full));
  };
  return { ...index, manifests: index.manifests.filter((each) => !hasName(each)) };
}

/** A descriptor as it is elsewhere: the names are the layout's, not the content's. */
function withoutNames(descriptor: Descriptor): Descriptor {
  if (descriptor.annotations === undefined) return descriptor;
  const { annotations, ...rest } = descriptor;
  const kept = Object.entries(annotations).filter(([key]) => key !== refName && key !== imageName);
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
}
