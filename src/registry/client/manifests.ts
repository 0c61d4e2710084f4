import {
  algorithmOf,
  type CallOptions,
  type Descriptor,
  type Digest,
  digestOf,
  isDigest,
  isIndexType,
  isManifestType,
  mediaTypes,
  OciError,
  parseManifestOrIndex,
  verifyBytes,
} from '../../oci/index.ts';
import { isSlipwayError, messageOf } from '../../errors.ts';
import { RegistryError } from '../error.ts';
import { discard, readAll } from '../http/body.ts';
import { header, type HttpResponse } from '../http/dispatch.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { asRegistryError, isTransientError } from '../http/network-error.ts';
import { call, nameOf, type RepositoryConnection } from './connection.ts';
import { checkTag } from './repository-name.ts';

/** No manifest is read beyond this; the specification asks for 4 MiB at least. Bytes. */
export const manifestLimit = 8 * 1024 * 1024;

/** All that we can read, so that no registry converts what it holds or answers with schema 1. */
const accept = [mediaTypes.ociIndex, mediaTypes.ociManifest, mediaTypes.dockerIndex, mediaTypes.dockerManifest].join(
  ', ',
);
const readAttempts = 3;

export function isManifestLike(descriptor: Descriptor): boolean {
  return isIndexType(descriptor.mediaType) || isManifestType(descriptor.mediaType);
}

/**
 * What a tag or digest stands for. A HEAD is enough where the registry tells type, size and digest (Docker Hub does not
 * count it as a pull); else the body is read and hashed.
 * @throws OciError NOT_FOUND, DIGEST_MISMATCH
 */
export async function resolveManifest(
  connection: RepositoryConnection,
  reference: string,
  { signal }: CallOptions,
): Promise<Descriptor> {
  const path = manifestPath(reference);
  const head = await call(connection, { method: 'HEAD', path, headers: { accept }, signal });
  await discard(head);
  if (head.status === 404) throw notFound(connection, reference);
  const told = head.status === 200 ? descriptorFromHeaders(head) : undefined;
  if (told === undefined) return (await getManifest(connection, reference, { signal })).descriptor;
  if (!isDigest(reference) || told.digest === reference) return told;
  if (head.source === undefined) throw lying(connection, reference, told.digest);
  head.source.lied(reference);
  return resolveManifest(connection, reference, { signal });
}

export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly content: Buffer;
}

/**
 * A manifest with its bytes; the digest is that of the body, and a `Docker-Content-Digest` that says otherwise is an
 * error. A broken connection is tried again.
 */
export async function getManifest(
  connection: RepositoryConnection,
  reference: string,
  { signal }: CallOptions,
): Promise<FetchedManifest> {
  for (let attempt = 1; ; attempt++) {
    const response = await call(connection, {
      method: 'GET',
      path: manifestPath(reference),
      headers: { accept },
      signal,
    });
    if (response.status === 404) throw notFound(connection, reference, await explain(connection, reference, response));
    if (response.status !== 200) throw await explain(connection, reference, response);
    try {
      const content = await readAll(response.body, manifestLimit);
      return { descriptor: describeAnswer(connection, { reference, response, content }), content };
    } catch (error) {
      signal?.throwIfAborted();
      if (response.source !== undefined) {
        // whatever a mirror gave instead: the next one has it, or the registry itself
        response.source.lied(reference);
        attempt -= 1;
        continue;
      }
      if (attempt >= readAttempts || !isTransientError(error)) throw asRegistryError(error, connection.host);
    }
  }
}

/** The verified bytes of a manifest that is known by its descriptor. @throws OciError NOT_FOUND, DIGEST_MISMATCH, SIZE_MISMATCH */
export async function fetchManifest(
  connection: RepositoryConnection,
  descriptor: Descriptor,
  options: CallOptions,
): Promise<Buffer> {
  const { content } = await getManifest(connection, descriptor.digest, options);
  verifyBytes(descriptor, content);
  return content;
}

/** Stores a manifest under a tag or digest; gives the answer's headers. @throws RegistryError, OciError */
export async function putManifest(
  connection: RepositoryConnection,
  manifest: FetchedManifest,
  { reference, signal }: CallOptions & { readonly reference: string },
): Promise<HttpResponse> {
  const { descriptor, content } = manifest;
  const response = await call(connection, {
    method: 'PUT',
    path: manifestPath(reference),
    headers: { 'content-type': descriptor.mediaType },
    body: content,
    actions: ['push'],
    signal,
  });
  if (response.status === 201 || response.status === 200 || response.status === 202) {
    await discard(response);
    return response;
  }
  const error = await errorFromResponse(response, {
    action: `push ${nameOf(connection, reference)}`,
    host: connection.host,
  });
  // an immutable tag that already is what we want is no failure
  if (
    error.status !== undefined &&
    error.status < 500 &&
    (await isAlready(connection, descriptor, { reference, signal }))
  ) {
    return response;
  }
  throw error;
}

async function isAlready(
  connection: RepositoryConnection,
  descriptor: Descriptor,
  { reference, signal }: CallOptions & { readonly reference: string },
): Promise<boolean> {
  try {
    return (await resolveManifest(connection, reference, { signal })).digest === descriptor.digest;
  } catch {
    return false;
  }
}

/** @throws RegistryError INVALID_NAME */
export function manifestPath(reference: string): string {
  return `manifests/${isDigest(reference) ? reference : checkTag(reference)}`;
}

export function notFound(connection: RepositoryConnection, reference: string, cause?: RegistryError): OciError {
  const said = cause === undefined ? `${nameOf(connection, reference)} is not there` : cause.message;
  return new OciError('NOT_FOUND', said, { cause, hint: cause?.hint ?? 'Check the name and the tag.' });
}

function explain(connection: RepositoryConnection, reference: string, response: HttpResponse): Promise<RegistryError> {
  return errorFromResponse(response, { action: `pull ${nameOf(connection, reference)}`, host: connection.host });
}

function descriptorFromHeaders(response: HttpResponse): Descriptor | undefined {
  const mediaType = bareType(header(response, 'content-type'));
  const digest = header(response, 'docker-content-digest');
  const length = header(response, 'content-length') ?? '';
  const known = isIndexType(mediaType) || isManifestType(mediaType);
  if (!known || !isDigest(digest) || !/^[1-9]\d{0,8}$/.test(length)) return undefined;
  // a proxy that compresses tells the length of what it would send
  if (header(response, 'content-encoding') !== undefined) return undefined;
  return { mediaType, digest, size: Number(length) };
}

interface Answer {
  readonly reference: string;
  readonly response: HttpResponse;
  readonly content: Buffer;
}

function describeAnswer(connection: RepositoryConnection, { reference, response, content }: Answer): Descriptor {
  const told = header(response, 'docker-content-digest');
  const wanted = isDigest(reference) ? reference : undefined;
  const algorithm = wanted !== undefined ? algorithmOf(wanted) : isDigest(told) ? algorithmOf(told) : 'sha256';
  const digest = digestOf(content, algorithm);
  if (wanted !== undefined && wanted !== digest) throw lying(connection, wanted, digest);
  if (isDigest(told) && algorithmOf(told) === algorithm && told !== digest) throw lying(connection, told, digest);
  const mediaType = typeOf(connection, { reference, response, content });
  return { mediaType, digest, size: content.byteLength };
}

/** The parser rules on headers that disagree with the body, or that say nothing (`text/plain`). */
function typeOf(connection: RepositoryConnection, { reference, response, content }: Answer): string {
  const contentType = header(response, 'content-type');
  try {
    return parseManifestOrIndex(content, contentType).mediaType;
  } catch (error) {
    const hint = isSlipwayError(error) ? error.hint : undefined;
    const message = `${nameOf(connection, reference)}: ${messageOf(error)}`;
    throw new RegistryError('BAD_RESPONSE', message, { cause: error, hint });
  }
}

function lying(connection: RepositoryConnection, said: Digest, found: Digest): OciError {
  return new OciError('DIGEST_MISMATCH', `${connection.host} gave ${found} for what it or we call ${said}`);
}

function bareType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
