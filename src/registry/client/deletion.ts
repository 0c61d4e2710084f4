import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import {
  type CallOptions,
  describe,
  type Digest,
  digestOf,
  isDigest,
  type Manifest,
  mediaTypes,
  serializeManifest,
} from '../../oci/index.ts';
import { repositoryScope } from '../auth/scope.ts';
import { RegistryError } from '../error.ts';
import { discard } from '../http/body.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { codeOf } from '../record.ts';
import { call, nameOf, type RepositoryConnection } from './connection.ts';
import {
  type FetchedManifest,
  getManifest,
  manifestPath,
  notFound,
  putManifest,
  resolveManifest,
} from './manifests.ts';
import { forgetReferrer } from './referrers.ts';
import { listTags } from './tags.ts';
import { pushBlob } from './upload.ts';

/** `*`, since Quay gives no token at all where `delete` is asked for. */
const deleteAction = '*';

/**
 * Deletes a manifest by its digest, with all its tags, and takes it out of the list of what refers to its subject.
 * @throws OciError NOT_FOUND; RegistryError UNSUPPORTED
 */
export async function deleteManifest(
  connection: RepositoryConnection,
  digest: Digest,
  options: CallOptions,
): Promise<void> {
  const manifest = await getManifest(connection, digest, options);
  await remove(connection, manifestPath(digest), digest, options);
  await forgetReferrer(connection, manifest, options);
}

/** Deletes a blob; a registry may keep it for others. @throws OciError NOT_FOUND; RegistryError UNSUPPORTED */
export function deleteBlob(connection: RepositoryConnection, digest: Digest, options: CallOptions): Promise<void> {
  return remove(connection, `blobs/${digest}`, digest, options);
}

/**
 * Deletes a tag and nothing else: as distribution-spec has it, else, for registries that delete by digest only, by putting
 * a manifest of its own under the tag and deleting that, so that the other tags of what it stood for stay.
 * @throws OciError NOT_FOUND; RegistryError UNSUPPORTED
 */
export async function deleteTag(connection: RepositoryConnection, tag: string, options: CallOptions): Promise<void> {
  const before = await getManifest(connection, tag, options);
  const tags = await listTags(connection, options).catch(() => [tag]);
  try {
    await remove(connection, manifestPath(tag), tag, options);
  } catch (error) {
    if (!isNoTagDeletion(error)) throw error;
    return deleteStandIn(connection, { tag, before }, options);
  }
  if (tags.length > 1)
    await restoreSiblings(connection, { before, tags: tags.filter((each) => each !== tag) }, options);
}

/** Some registries take the manifest away with the tag, and with it every other tag of it: they are given back. */
async function restoreSiblings(
  connection: RepositoryConnection,
  { before, tags }: { readonly before: FetchedManifest; readonly tags: readonly string[] },
  options: CallOptions,
): Promise<void> {
  try {
    await resolveManifest(connection, before.descriptor.digest, options);
  } catch (error) {
    if (codeOf(error) !== 'NOT_FOUND') throw error;
    const left = new Set(await listTags(connection, options).catch(() => []));
    for (const reference of tags.filter((tag) => !left.has(tag)))
      await putManifest(connection, before, { ...options, reference });
  }
}

/** 405 is what the specification says; others say that a tag is no digest, or know no such manifest, though it is there. */
function isNoTagDeletion(error: unknown): boolean {
  return ['UNSUPPORTED', 'REJECTED', 'NOT_FOUND'].includes(codeOf(error));
}

async function deleteStandIn(
  connection: RepositoryConnection,
  { tag, before }: { readonly tag: string; readonly before: FetchedManifest },
  options: CallOptions,
): Promise<void> {
  await requireDeletion(connection, options);
  const standIn = await pushStandIn(connection, options);
  await putManifest(connection, standIn, { ...options, reference: tag });
  const { digest } = await resolveManifest(connection, tag, options);
  if (digest !== standIn.descriptor.digest) {
    throw new RegistryError('REJECTED', `${nameOf(connection, tag)} was moved by somebody else meanwhile`, {
      hint: 'Look at it, and try again.',
    });
  }
  try {
    await remove(connection, manifestPath(digest), digest, options);
  } catch (error) {
    await putManifest(connection, before, { reference: tag });
    throw error;
  }
}

/** Asks to delete what cannot be there: a registry that deletes says that it is not, before a tag is touched. */
async function requireDeletion(connection: RepositoryConnection, options: CallOptions): Promise<void> {
  const nothing = digestOf(randomUUID());
  try {
    await remove(connection, manifestPath(nothing), nothing, options);
  } catch (cause) {
    if (codeOf(cause) === 'NOT_FOUND') return;
    if (codeOf(cause) !== 'UNSUPPORTED' && codeOf(cause) !== 'REJECTED') throw cause;
    throw new RegistryError('UNSUPPORTED', `${connection.host} deletes neither tags nor manifests`, {
      cause,
      hint: 'Its own interface may; a registry of docker wants REGISTRY_STORAGE_DELETE_ENABLED=true.',
    });
  }
}

/** A manifest that is like no other, since what is deleted by digest is gone for every tag: an image of one empty layer. */
async function pushStandIn(connection: RepositoryConnection, options: CallOptions): Promise<FetchedManifest> {
  const tar = Buffer.alloc(1024);
  const layer = gzipSync(tar);
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Labels: { 'deleted.tag': randomUUID() } },
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    }),
  );
  const manifest: Manifest = {
    kind: 'manifest',
    mediaType: mediaTypes.ociManifest,
    config: describe(mediaTypes.ociConfig, config),
    layers: [describe(mediaTypes.ociLayerGzip, layer)],
  };
  await pushBlob(connection, { descriptor: describe(mediaTypes.ociLayerGzip, layer), content: layer }, options);
  await pushBlob(connection, { descriptor: manifest.config, content: config }, options);
  const content = serializeManifest(manifest);
  return { descriptor: describe(manifest.mediaType, content), content };
}

async function remove(
  connection: RepositoryConnection,
  path: string,
  reference: string,
  { signal }: CallOptions,
): Promise<void> {
  const scopes = [repositoryScope(connection.repository, [deleteAction])];
  const response = await call(connection, { method: 'DELETE', path, scopes, signal });
  if (response.status === 202 || response.status === 200 || response.status === 204) return discard(response);
  const action = `delete ${nameOf(connection, reference)}`;
  const error = await errorFromResponse(response, { action, host: connection.host });
  throw response.status === 404 && isDigest(reference) ? notFound(connection, reference, error) : error;
}
