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
import { Turns } from './turns.ts';
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
  const direct = { ...connection, mirrors: undefined };
  const manifest = await getManifest(direct, digest, options);
  await remove(direct, manifestPath(digest), digest, options);
  await forgetReferrer(direct, manifest, options);
}

/** Deletes a blob; a registry may keep it for others. @throws OciError NOT_FOUND; RegistryError UNSUPPORTED */
export function deleteBlob(connection: RepositoryConnection, digest: Digest, options: CallOptions): Promise<void> {
  return remove(connection, `blobs/${digest}`, digest, options);
}

/** Tags that are taken away side by side would be missed by each other's look at what is left. */
const turns = new Turns();

/**
 * Deletes a tag and nothing else: as distribution-spec has it, else, for registries that delete by digest only, by putting
 * a manifest of its own under the tag and deleting that, so that the other tags of what it stood for stay.
 * @throws OciError NOT_FOUND; RegistryError UNSUPPORTED
 */
export function deleteTag(connection: RepositoryConnection, tag: string, options: CallOptions): Promise<void> {
  // what is there is for the registry to say, not for a mirror
  const direct = { ...connection, mirrors: undefined };
  return turns.take(nameOf(connection), () => deleteAlone(direct, tag, options));
}

async function deleteAlone(connection: RepositoryConnection, tag: string, options: CallOptions): Promise<void> {
  const before = await getManifest(connection, tag, options);
  const tags = await listTags(connection, options).catch(() => undefined);
  options.signal?.throwIfAborted();
  // who cannot know whether other tags went with it does not try
  if (tags === undefined) return deleteStandIn(connection, { tag, before }, options);
  try {
    await remove(connection, manifestPath(tag), tag, options);
  } catch (error) {
    if (!isNoTagDeletion(error)) throw error;
    if (codeOf(error) !== 'NOT_FOUND' || (await digestOfTag(connection, tag, options)) !== undefined)
      return deleteStandIn(connection, { tag, before }, options);
    // it was deleted by an earlier try, whose answer got lost
  }
  const others = tags.filter((each) => each !== tag);
  if (others.length > 0) await restoreSiblings(connection, { before, tags: others }, options);
}

/** What a tag stands for; undefined where it is not there. */
async function digestOfTag(
  connection: RepositoryConnection,
  tag: string,
  options: CallOptions,
): Promise<Digest | undefined> {
  try {
    return (await resolveManifest(connection, tag, options)).digest;
  } catch (error) {
    if (codeOf(error) === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** Some registries take the manifest away with the tag, and with it every other tag of it: they are given back. */
async function restoreSiblings(
  connection: RepositoryConnection,
  { before, tags }: { readonly before: FetchedManifest; readonly tags: readonly string[] },
  options: CallOptions,
): Promise<void> {
  const { digest } = before.descriptor;
  if ((await digestOfTag(connection, digest, options)) !== undefined) return;
  const left = new Set(await tagsLeft(connection, digest, options));
  for (const reference of tags.filter((tag) => !left.has(tag))) {
    if ((await digestOfTag(connection, reference, {})) === undefined)
      await putManifest(connection, before, { reference });
  }
}

/** Without a list nothing is given back: it would be put over tags that stand for something else. */
async function tagsLeft(
  connection: RepositoryConnection,
  digest: Digest,
  options: CallOptions,
): Promise<readonly string[]> {
  try {
    return await listTags(connection, options);
  } catch (cause) {
    // nothing had another tag than what is gone
    if (codeOf(cause) === 'NOT_FOUND') return [];
    throw new RegistryError(
      'REJECTED',
      `${nameOf(connection)} lost ${digest} with its tag, and does not say which tags are left`,
      {
        cause,
        hint: `Other tags of ${digest} may be gone too; push them again.`,
      },
    );
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
  const { digest } = standIn.descriptor;
  try {
    await putManifest(connection, standIn, { ...options, reference: tag });
    if ((await digestOfTag(connection, tag, options)) !== digest) {
      throw new RegistryError('REJECTED', `${nameOf(connection, tag)} was moved by somebody else meanwhile`, {
        hint: 'Look at it, and try again.',
      });
    }
    await remove(connection, manifestPath(digest), digest, options);
  } catch (error) {
    // also after an interruption, or a question that nobody answers: the tag is not left standing for nothing of anybody's
    const now = await digestOfTag(connection, tag, {}).catch(() => digest);
    // gone after all: what was lost is the answer
    if (now === undefined) return;
    if (now === digest) await putBack(connection, tag, before);
    throw error;
  }
}

async function putBack(connection: RepositoryConnection, tag: string, before: FetchedManifest): Promise<void> {
  try {
    await putManifest(connection, before, { reference: tag });
  } catch (cause) {
    throw new RegistryError(
      'REJECTED',
      `${nameOf(connection, tag)} could not be deleted and stands for an empty image now`,
      {
        cause,
        hint: `It stood for ${before.descriptor.digest}, which is still there.`,
      },
    );
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
