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
import { backoff } from '../http/backoff.ts';
import { abandon, discard, readAll } from '../http/body.ts';
import { header, type HttpResponse } from '../http/dispatch.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { asRegistryError, isTransientError } from '../http/network-error.ts';
import { codeOf } from '../record.ts';
import { call, nameOf, type RepositoryConnection } from './connection.ts';
import { readings } from './content-encoding.ts';
import { checkTag } from './repository-name.ts';

/** No manifest is read beyond this; the specification asks for 4 MiB at least. Bytes. */
export const manifestLimit = 8 * 1024 * 1024;

/** All that we can read, so that no registry converts what it holds or answers with schema 1. */
export const acceptedManifests = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerIndex,
  mediaTypes.dockerManifest,
].join(', ');
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
  const head = await call(connection, { method: 'HEAD', path, headers: { accept: acceptedManifests }, signal });
  await discard(head);
  if (head.status === 404) throw notFound(connection, reference);
  const told = head.status === 200 ? descriptorFromHeaders(head) : undefined;
  if (told === undefined) return (await getManifest(connection, reference, { signal })).descriptor;
  if (!isDigest(reference)) return told;
  // what a mirror says of type and size proves nothing, and only what is read is checked
  if (head.source !== undefined) return (await getManifest(connection, reference, { signal })).descriptor;
  if (told.digest === reference) return told;
  throw new OciError('DIGEST_MISMATCH', `${connection.host} answers ${told.digest} when asked for ${reference}`);
}

export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly content: Buffer;
}

/**
 * A manifest with its bytes; the digest is that of the body. A `Docker-Content-Digest` that says otherwise is an error where a
 * digest was asked for, and a warning for a tag. A broken connection is tried again; so is, once, what arrives damaged.
 * @throws OciError NOT_FOUND, DIGEST_MISMATCH; RegistryError BAD_RESPONSE, TOO_LARGE
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
      headers: { accept: acceptedManifests },
      signal,
    });
    if (response.status === 404) throw notFound(connection, reference, await explain(connection, reference, response));
    if (response.status !== 200) throw await explain(connection, reference, response);
    try {
      return await readManifest(connection, reference, response);
    } catch (error) {
      signal?.throwIfAborted();
      if (response.source !== undefined) {
        // whatever a mirror gave instead: the next one has it, or the registry itself
        response.source.lied(reference);
        attempt -= 1;
        continue;
      }
      const mayRepeat = isTransientError(error) ? attempt < readAttempts : attempt === 1 && isDamage(error);
      if (!mayRepeat) throw asRegistryError(error, connection.host);
      await connection.clock.sleep(backoff(attempt, connection.clock, connection.policy), signal);
    }
  }
}

async function readManifest(
  connection: RepositoryConnection,
  reference: string,
  response: HttpResponse,
): Promise<FetchedManifest> {
  const length = Number(header(response, 'content-length') ?? 0);
  if (length > manifestLimit) {
    abandon(response.body);
    throw new RegistryError('TOO_LARGE', tooLarge(connection, reference, `${length} bytes`));
  }
  const body = await readAll(response.body, manifestLimit).catch((error: unknown) => {
    throw codeOf(error) === 'TOO_LARGE'
      ? new RegistryError('TOO_LARGE', tooLarge(connection, reference, 'more'), { cause: error })
      : error;
  });
  const told = header(response, 'docker-content-digest');
  const expected = [reference, told].find(isDigest);
  const possible = await readings(response, body, manifestLimit);
  const content =
    possible.find((each) => expected !== undefined && digestOf(each, algorithmOf(expected)) === expected) ??
    possible[0] ??
    body;
  return { descriptor: describeAnswer(connection, { reference, response, content }), content };
}

function tooLarge(connection: RepositoryConnection, reference: string, size: string): string {
  return `the manifest of ${nameOf(connection, reference)} is too large: a manifest has ${manifestLimit} bytes at most, this one ${size}`;
}

/** What a proxy's bad moment may be the reason of. */
function isDamage(error: unknown): boolean {
  if (codeOf(error) === 'DIGEST_MISMATCH') return true;
  for (let at = error; at instanceof Error; at = at.cause) if (at.name === 'SyntaxError') return true;
  return false;
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

function describeAnswer(connection: RepositoryConnection, answer: Answer): Descriptor {
  const { reference, response, content } = answer;
  const told = header(response, 'docker-content-digest');
  const wanted = isDigest(reference) ? reference : undefined;
  const algorithm = wanted !== undefined ? algorithmOf(wanted) : isDigest(told) ? algorithmOf(told) : 'sha256';
  const digest = digestOf(content, algorithm);
  if (wanted !== undefined && wanted !== digest) throw lying(connection, wanted, { digest, content, response });
  const mediaType = typeOf(connection, answer);
  if (isDigest(told) && algorithmOf(told) === algorithm && told !== digest) {
    if (wanted !== undefined) throw lying(connection, told, { digest, content, response });
    connection.warn?.(`${nameOf(connection, reference)} is ${digest}, although ${connection.host} calls it ${told}`);
  }
  return { mediaType, digest, size: content.byteLength };
}

/** The parser rules on headers that disagree with the body, or that say nothing (`text/plain`). */
function typeOf(connection: RepositoryConnection, { reference, response, content }: Answer): string {
  const contentType = header(response, 'content-type');
  try {
    return parseManifestOrIndex(content, contentType).mediaType;
  } catch (error) {
    const hint = isSlipwayError(error) ? error.hint : undefined;
    const size = `${content.byteLength} bytes${lengthToldBy(response)}`;
    const message = `${nameOf(connection, reference)}, ${size}: ${messageOf(error)}`;
    throw new RegistryError('BAD_RESPONSE', message, { cause: error, hint });
  }
}

interface Found {
  readonly digest: Digest;
  readonly content: Buffer;
  readonly response: HttpResponse;
}

function lying(connection: RepositoryConnection, said: Digest, { digest, content, response }: Found): OciError {
  const size = `${content.byteLength} bytes${lengthToldBy(response)}`;
  return new OciError('DIGEST_MISMATCH', `${connection.host} gave ${digest} (${size}) for what it or we call ${said}`);
}

function lengthToldBy(response: HttpResponse): string {
  const told = header(response, 'content-length');
  return told === undefined ? '' : ` of ${told} announced`;
}

function bareType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
