import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Descriptor,
  digestOf,
  algorithmOf,
  isIndexType,
  isManifestType,
  parseIndex,
  parseManifestOrIndex,
  referrerOf,
} from '../../../oci/index.ts';
import { isTagName } from '../names.ts';
import { contentPath } from './disk-paths.ts';
import type { DiskRepository } from './disk-repository.ts';

const refName = 'org.opencontainers.image.ref.name';
const deepest = 8;

/**
 * Takes an OCI layout that another program has made for a repository: its manifests and tags become ours. What is no
 * manifest, is missing or does not have its digest is passed over, as is a name that is no tag.
 */
export async function adoptLayout(repository: DiskRepository): Promise<void> {
  const text = await readFile(join(repository.path, 'index.json'));
  const { manifests } = parseIndex(text);
  for (const digest of await repository.contents()) await repository.share(digest);
  for (const descriptor of manifests) {
    if (!(await adoptManifest(repository, descriptor, 0))) continue;
    const name = descriptor.annotations?.[refName];
    const tag = name?.slice(name.lastIndexOf(':') + 1);
    if (tag !== undefined && isTagName(tag)) await repository.putTag(tag, descriptor.digest);
  }
}

async function adoptManifest(repository: DiskRepository, descriptor: Descriptor, depth: number): Promise<boolean> {
  const { digest, mediaType } = descriptor;
  if (depth > deepest || !(isManifestType(mediaType) || isIndexType(mediaType))) return false;
  const content = await readFile(contentPath(join(repository.path, 'blobs'), digest)).catch(() => undefined);
  if (content === undefined || digestOf(content, algorithmOf(digest)) !== digest) return false;
  const document = parseManifestOrIndex(content, mediaType);
  if (document.kind === 'index') {
    for (const child of document.manifests) await adoptManifest(repository, child, depth + 1);
  }
  const referrer = referrerOf({ mediaType, digest, size: content.length }, document);
  await repository.putManifest(digest, { mediaType, content, referrer });
  return true;
}
