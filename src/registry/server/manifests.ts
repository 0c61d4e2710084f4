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
import { bodyOf, entityTags, type Exchange, isKnownToClient, sendEmpty } from './exchange.ts';
import { isTagName } from './names.ts';
import { ProtocolError } from './protocol-error.ts';
import type { StoredManifest } from './storage/storage.ts';

/** More tags than this in one request are refused; the specification asks for ten at least. */
const mostTagParameters = 100;

/** GET and HEAD of `/v2/<name>/manifests/<tag or digest>`; the bytes as they were pushed, whatever is accepted. */
export async function getManifest(exchange: Exchange, reference: string): Promise<void> {
  const { request, response } = exchange;
  const digest = await resolve(exchange, reference);
  const manifest = await exchange.repository.manifest(digest);
  if (manifest === undefined) throw unknown(exchange, reference);
  if (request.method === 'HEAD') await exchange.repository.keep(digest);
  if (isKnownToClient(exchange, digest)) {
    sendEmpty(response, 304, { etag: `"${digest}"`, 'docker-content-digest': digest });
    return;
  }
  response.writeHead(200, {
    'content-type': manifest.mediaType,
    'content-length': manifest.content.length,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
  });
  response.end(request.method === 'HEAD' ? undefined : manifest.content);
}

/**
 * PUT: stored only when all that it names is here, so that what can be pulled can be pulled whole; other rules may allow
 * gaps. One that is pushed by its digest may get tags by `?tag=a&tag=b` (distribution-spec, "Pushing Manifests").
 */
export async function putManifest(exchange: Exchange, reference: string): Promise<void> {
  const { request, response, name, repository, rules } = exchange;
  if (!isDigest(reference) && !isTagName(reference)) throw notAReference(reference);
  const extraTags = isDigest(reference) ? tagParameters(exchange) : [];
  const content = await readBody(exchange);
  const digest = digestOf(content, isDigest(reference) ? algorithmOf(reference) : 'sha256');
  if (isDigest(reference) && digest !== reference) {
    throw new ProtocolError('DIGEST_INVALID', `the content has the digest ${digest}`, { detail: { digest } });
  }
  const document = parse(content, request.headers['content-type']);
  if (!rules.sparse) await checkChildren(exchange, document);
  await rules.checkManifest?.({
    name,
    reference,
    digest,
    content,
    contentType: request.headers['content-type'],
    repository,
  });
  await checkPrecondition(exchange, reference);
  const isNew = !(await repository.hasManifest(digest));
  if (isNew) await exchange.quotas.check(name, content.length);
  const descriptor: Descriptor = { mediaType: document.mediaType, digest, size: content.length };
  const referrer = referrerOf(descriptor, document);
  const stored: StoredManifest = { mediaType: document.mediaType, content, referrer };
  await store(exchange, { digest, stored, document, isNew, tags: isDigest(reference) ? extraTags : [reference] });
  if (isNew) await exchange.quotas.note(name, content.length);
  sendEmpty(response, 201, {
    location: `/v2/${name}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(referrer === undefined || !rules.referrers ? {} : { 'oci-subject': referrer.subject }),
    ...(extraTags.length === 0 ? {} : { 'oci-tag': extraTags.join(', ') }),
  });
}

interface NewManifest {
  readonly digest: Digest;
  readonly stored: StoredManifest;
  readonly document: Manifest | ImageIndex;
  readonly isNew: boolean;
  readonly tags: readonly string[];
}

/**
 * A collection of garbage may run at the same time. What it had set aside before the manifest stood, it may not have
 * seen in there: so that is looked for once more; and a manifest that it took for garbage is put there again.
 */
async function store(exchange: Exchange, { digest, stored, document, isNew, tags }: NewManifest): Promise<void> {
  const { repository, rules } = exchange;
  do {
    await repository.putManifest(digest, stored);
    try {
      if (!rules.sparse) await checkChildren(exchange, document);
    } catch (error) {
      if (isNew) await repository.deleteManifest(digest);
      throw error;
    }
    for (const tag of tags) await repository.putTag(tag, digest);
  } while (!(await repository.hasManifest(digest)));
}

function tagParameters({ query }: Exchange): readonly string[] {
  const tags = [...new Set(query.getAll('tag'))];
  if (tags.length > mostTagParameters) {
    throw new ProtocolError('TAG_INVALID', `a request names ${mostTagParameters} tags at most`, { status: 414 });
  }
  const wrong = tags.find((tag) => !isTagName(tag));
  if (wrong !== undefined) throw notAReference(wrong);
  return tags;
}

/** What a client may ask for, so as not to overwrite what another one has just pushed (RFC 9110 §13.1). */
async function checkPrecondition({ request, repository }: Exchange, reference: string): Promise<void> {
  const match = request.headers['if-match'];
  const noneMatch = request.headers['if-none-match'];
  if (match === undefined && noneMatch === undefined) return;
  const there = isDigest(reference)
    ? (await repository.hasManifest(reference)) && reference
    : await repository.tag(reference);
  const holds = (header: string): boolean =>
    there !== undefined && there !== false && (header.trim() === '*' || entityTags(header).includes(there));
  if ((match === undefined || holds(match)) && (noneMatch === undefined || !holds(noneMatch))) return;
  throw new ProtocolError('DENIED', `${reference} is not what the condition of the request says`, {
    status: 412,
    headers: there === undefined || there === false ? {} : { etag: `"${there}"` },
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
  exchange.quotas.forget(exchange.name);
  sendEmpty(response, 202, {});
}

async function resolve(exchange: Exchange, reference: string): Promise<Digest> {
  if (isDigest(reference)) return reference;
  const digest = isTagName(reference) ? await exchange.repository.tag(reference) : undefined;
  if (digest === undefined) throw unknown(exchange, reference);
  return digest;
}

async function readBody(exchange: Exchange): Promise<Buffer> {
  const { largestManifest } = exchange.rules;
  const tooLarge = new ProtocolError('SIZE_INVALID', `a manifest has ${largestManifest} bytes at most`, {
    status: 413,
    detail: { largest: largestManifest },
  });
  if (Number(exchange.request.headers['content-length'] ?? 0) > largestManifest) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyOf(exchange)) {
    size += chunk.length;
    if (size > largestManifest) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
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
    if (!there) throw missing(child);
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

function missing({ digest }: Descriptor): ProtocolError {
  return new ProtocolError('MANIFEST_BLOB_UNKNOWN', `${digest} must be pushed first`, { detail: { digest } });
}

function unknown({ name }: Exchange, reference: string): ProtocolError {
  return new ProtocolError('MANIFEST_UNKNOWN', `${name} has no manifest ${JSON.stringify(reference.slice(0, 160))}`);
}

function notAReference(reference: string): ProtocolError {
  const code = reference.includes(':') ? 'DIGEST_INVALID' : 'TAG_INVALID';
  return new ProtocolError(code, `not a tag or digest: ${JSON.stringify(reference.slice(0, 160))}`);
}
