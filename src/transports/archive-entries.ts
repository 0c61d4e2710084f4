import { readdir, stat } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import {
  type Descriptor,
  fetchBytes,
  hostPlatform,
  isConfigType,
  isIndexType,
  isManifestType,
  mediaTypes,
  OciError,
  parseIndex,
  parseManifest,
  selectManifest,
  serializeIndex,
} from '../oci/index.ts';
import type { PackEntry } from './archive-pack.ts';
import { namesOf, repoTagsOf, type SavedImage, serializeDockerManifest } from './docker-manifest.ts';
import { TransportError } from './error.ts';
import { type NamedManifest, refName } from './layout-index.ts';
import { blobPath } from './layout-reader.ts';
import type { LayoutTarget } from './layout-target.ts';

export type ArchiveKind = 'oci-archive' | 'docker-archive';

/**
 * What goes into the archive of a finished layout: its blobs, an index whose order does not tell in which order things came,
 * and docker's manifest.json where it is wanted.
 */
export async function archiveEntries(
  kind: ArchiveKind,
  folder: string,
  layout: LayoutTarget,
): Promise<readonly PackEntry[]> {
  const images = (await layout.list())
    .map(({ descriptor, names }) => ({ descriptor, names: names.toSorted() }))
    .toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  if (images.length === 0) {
    throw new TransportError('NOTHING_TAGGED', `nothing in ${layout.label} is tagged, the archive would be empty`);
  }
  const manifests = images.flatMap(({ descriptor, names }) =>
    kind === 'docker-archive' ? namesOf(descriptor, names) : ociNames(descriptor, names),
  );
  const documents: PackEntry[] = [
    document('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')),
    document('index.json', serializeIndex({ kind: 'index', mediaType: mediaTypes.ociIndex, manifests })),
  ];
  if (kind === 'docker-archive') {
    documents.push(document('manifest.json', serializeDockerManifest(await savedImages(layout, images))));
  }
  return [...(await blobEntries(folder)), ...documents];
}

function sortKey({ descriptor, names }: NamedManifest): string {
  return `${names[0] ?? ''} ${descriptor.digest}`;
}

function ociNames(descriptor: Descriptor, names: readonly string[]): readonly Descriptor[] {
  if (names.length === 0) return [descriptor];
  return names.map((name) => ({ ...descriptor, annotations: { ...descriptor.annotations, [refName]: name } }));
}

function document(path: string, content: Buffer): PackEntry {
  return { path, size: content.byteLength, content: async () => [content] };
}

async function blobEntries(folder: string): Promise<readonly PackEntry[]> {
  const entries: PackEntry[] = [{ path: 'blobs/', size: 0 }];
  for (const algorithm of await readdir(join(folder, 'blobs'))) {
    entries.push({ path: `blobs/${algorithm}/`, size: 0 });
    for (const name of await readdir(join(folder, 'blobs', algorithm))) {
      const path = `blobs/${algorithm}/${name}`;
      const { size } = await stat(join(folder, path));
      const content = async (): Promise<AsyncIterable<Uint8Array>> =>
        createReadStream(join(folder, path), { highWaterMark: 256 * 1024 });
      entries.push({ path, size, content });
    }
  }
  return entries;
}

/** docker's list has one platform of each image: this machine's where there is one, else the first. */
async function savedImages(layout: LayoutTarget, images: readonly NamedManifest[]): Promise<readonly SavedImage[]> {
  const saved: SavedImage[] = [];
  for (const { descriptor, names } of images) {
    const chosen = await oneManifest(layout, descriptor);
    if (chosen === undefined) continue;
    const manifest = parseManifest(await fetchBytes(layout, chosen), chosen.mediaType);
    // Artifacts are carried by the layout; docker knows images only.
    if (!isConfigType(manifest.config.mediaType)) continue;
    const layers = manifest.layers.map(({ digest }) => blobPath(digest));
    saved.push({ config: blobPath(manifest.config.digest), repoTags: repoTagsOf(names), layers });
  }
  return saved;
}

async function oneManifest(layout: LayoutTarget, root: Descriptor): Promise<Descriptor | undefined> {
  let current: Descriptor | undefined = root;
  for (let depth = 0; depth < 3 && current !== undefined && isIndexType(current.mediaType); depth += 1) {
    const index = parseIndex(await fetchBytes(layout, current), current.mediaType);
    const present: Descriptor[] = [];
    for (const entry of index.manifests) if (await layout.exists(entry)) present.push(entry);
    try {
      current = selectManifest({ ...index, manifests: present }, hostPlatform());
    } catch (error) {
      if (!(error instanceof OciError)) throw error;
      current = present.find(({ mediaType }) => isManifestType(mediaType));
    }
  }
  return current !== undefined && isManifestType(current.mediaType) ? current : undefined;
}
