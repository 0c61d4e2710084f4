import { messageOf } from '../../errors.ts';
import {
  algorithmOf,
  type Descriptor,
  type Digest,
  digestOf,
  type ImageIndex,
  isDigest,
  isManifestType,
  isIndexType,
  type Manifest,
  mediaTypes,
  parseManifestOrIndex,
  referrerOf,
} from '../../oci/index.ts';
import { readAll } from '../http/body.ts';
import { digestFrom, type Exchange, sendEmpty, sendJson } from './exchange.ts';
import { isTagName } from './names.ts';
import { ProtocolError } from './protocol-error.ts';
import type { StoredManifest } from './storage.ts';
import { codeOf } from '../record.ts';

const largestManifest = 8 * 1024 * 1024;

/** GET and HEAD of `/v2/<name>/manifests/<tag or digest>`; the bytes as they were pushed, whatever is accepted. */
export async function getManifest(exchange: Exchange, reference: string): Promise<void> {
  const { request, response } = exchange;
  const digest = await resolve(exchange, reference);
  const manifest = await exchange.repository.manifest(digest);
  if (manifest === undefined) throw unknown(exchange, reference);
  response.writeHead(200, {
    'content-type': manifest.mediaType,
    'content-length': manifest.content.length,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
  });
  response.end(request.method === 'HEAD' ? undefined : manifest.content);
}

/** PUT: stored only when all that it names is here, so that what can be pulled can be pulled whole. */
export async function putManifest(exchange: Exchange, reference: string): Promise<void> {
  const { request, response, name, repository } = exchange;
  if (!isDigest(reference) && !isTagName(reference)) throw notAReference(reference);
  const content = await readBody(exchange);
  const digest = digestOf(content, isDigest(reference) ? algorithmOf(reference) : 'sha256');
  if (isDigest(reference) && digest !== reference) {
    throw new ProtocolError('DIGEST_INVALID', `the content has the digest ${digest}`);
  }
  const document = parse(content, request.headers['content-type']);
  await checkChildren(exchange, document);
  const descriptor: Descriptor = { mediaType: document.mediaType, digest, size: content.length };
  const referrer = referrerOf(descriptor, document);
  const stored: StoredManifest = { mediaType: document.mediaType, content, referrer };
  await repository.putManifest(digest, stored);
  if (!isDigest(reference)) await repository.putTag(reference, digest);
  sendEmpty(response, 201, {
    location: `/v2/${name}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(referrer === undefined ? {} : { 'oci-subject': referrer.subject }),
  });
}

/** DELETE: of a tag, only that; by digest, the manifest and its tags. */
export async function deleteManifest(exchange: Exchange, reference: string): Promise<void> {
  const { repository, response } = exchange;
  if (!isDigest(reference) && !isTagName(reference)) throw notAReference(reference);
  const deleted = isDigest(reference)
    ? await repository.deleteManifest(reference)
    : await repository.deleteTag(reference);
  if (!deleted) throw unknown(exchange, reference);
  sendEmpty(response, 202, {});
}

/** GET of `/v2/<name>/referrers/<digest>`: an index, empty where nothing refers to it (distribution-spec, "Listing Referrers"). */
export async function getReferrers(exchange: Exchange, reference: string): Promise<void> {
  const { query, repository } = exchange;
  const all = await repository.referrers(digestFrom(reference));
  const wanted = query.get('artifactType');
  const manifests = wanted === null ? all : all.filter(({ artifactType }) => artifactType === wanted);
  sendJson(exchange, {
    document: { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
    contentType: mediaTypes.ociIndex,
    headers: wanted === null ? {} : { 'oci-filters-applied': 'artifactType' },
  });
}

async function resolve(exchange: Exchange, reference: string): Promise<Digest> {
  if (isDigest(reference)) return reference;
  const digest = isTagName(reference) ? await exchange.repository.tag(reference) : undefined;
  if (digest === undefined) throw unknown(exchange, reference);
  return digest;
}

async function readBody({ request }: Exchange): Promise<Buffer> {
  const tooLarge = new ProtocolError('SIZE_INVALID', `a manifest has ${largestManifest} bytes at most`, {
    status: 413,
  });
  if (Number(request.headers['content-length'] ?? 0) > largestManifest) throw tooLarge;
  try {
    return await readAll(request, largestManifest);
  } catch (error) {
    throw codeOf(error) === 'TOO_LARGE' ? tooLarge : error;
  }
}

function parse(content: Buffer, contentType: string | undefined): Manifest | ImageIndex {
  try {
    return parseManifestOrIndex(content, contentType);
  } catch (error) {
    throw new ProtocolError('MANIFEST_INVALID', messageOf(error));
  }
}

async function checkChildren({ repository }: Exchange, document: Manifest | ImageIndex): Promise<void> {
  const children = document.kind === 'index' ? document.manifests : [document.config, ...document.layers];
  for (const child of children) {
    if (isForeign(child)) continue;
    const isManifest = isManifestType(child.mediaType) || isIndexType(child.mediaType);
    const there =
      document.kind === 'index' && isManifest
        ? await repository.hasManifest(child.digest)
        : (await repository.blob(child.digest)) !== undefined;
    if (!there) throw new ProtocolError('MANIFEST_BLOB_UNKNOWN', `${child.digest} must be pushed first`);
  }
}

/** Layers that may not be distributed stay where their URLs say. */
function isForeign({ mediaType }: Descriptor): boolean {
  return (
    mediaType === mediaTypes.dockerForeignLayer ||
    mediaType === mediaTypes.ociForeignLayer ||
    mediaType === mediaTypes.ociForeignLayerGzip
  );
}

function unknown({ name }: Exchange, reference: string): ProtocolError {
  return new ProtocolError('MANIFEST_UNKNOWN', `${name} has no manifest ${JSON.stringify(reference.slice(0, 160))}`);
}

function notAReference(reference: string): ProtocolError {
  const code = reference.includes(':') ? 'DIGEST_INVALID' : 'TAG_INVALID';
  return new ProtocolError(code, `not a tag or digest: ${JSON.stringify(reference.slice(0, 160))}`);
}
