import { join } from 'node:path';
import { algorithmOf, type Digest, hexOf } from '../../../oci/index.ts';
import { isRepositoryName } from '../names.ts';

/** Parts of a name that an OCI layout has as files of its own: `a/blobs` would lie in the blobs of `a`. */
const reserved = new Set(['blobs', 'index.json', 'oci-layout']);
const escape = '__';

/**
 * The folder of a repository. No part of a valid name begins with `_` or a dot, so that names cannot leave the root and
 * cannot meet files of ours, which all begin with `_`.
 */
export function repositoryPath(root: string, name: string): string {
  const parts = name.split('/').map((part, at) => (at > 0 && reserved.has(part) ? escape + part : part));
  return join(root, ...parts);
}

/** The part of a name that a folder in the folder of `parent` stands for; undefined for what is no repository's. */
export function childName(parent: string, entry: string): string | undefined {
  const escaped = entry.startsWith(escape) ? entry.slice(escape.length) : undefined;
  if (escaped !== undefined) return parent !== '' && reserved.has(escaped) ? `${parent}/${escaped}` : undefined;
  if (parent === '') return isRepositoryName(entry) ? entry : undefined;
  return !reserved.has(entry) && isRepositoryName(entry) ? `${parent}/${entry}` : undefined;
}

/** Where content lies below a folder of blobs, as image-layout has it. */
export function contentPath(folder: string, digest: Digest): string {
  return join(folder, algorithmOf(digest), hexOf(digest));
}

export function commonBlobs(root: string): string {
  return join(root, '_blobs');
}

export function uploadsFolder(root: string): string {
  return join(root, '_uploads');
}
