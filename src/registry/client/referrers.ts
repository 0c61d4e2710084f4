import {
  algorithmOf,
  type CallOptions,
  type Descriptor,
  describe,
  type Digest,
  hexOf,
  type ImageIndex,
  mediaTypes,
  parseDescriptor,
  parseIndex,
  parseManifestOrIndex,
  referrerOf,
  serializeIndex,
} from '../../oci/index.ts';
import { RegistryError } from '../error.ts';
import { discard } from '../http/body.ts';
import { header, type HttpResponse } from '../http/dispatch.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { call, nameOf, type RepositoryConnection, repositoryUrl } from './connection.ts';
import { type FetchedManifest, getManifest, putManifest } from './manifests.ts';
import { listIn, pages } from './paging.ts';
import { Turns } from './turns.ts';
import { codeOf } from '../record.ts';

/** Statuses by which registries say that they have no referrers API; Docker Hub and GHCR among them. */
const withoutApi = new Set([400, 404, 405, 406, 501]);
/** More are not read: signatures without end are an attack (GHSA-vfp6-jrw2-99g9). */
const mostReferrers = 10_000;

/**
 * The manifests that name `subject` (distribution-spec, "Listing Referrers"): by the API, else from the index under the
 * tag `sha256-<hex>`.
 */
export async function listReferrers(
  connection: RepositoryConnection,
  subject: Digest,
  { artifactType, signal }: CallOptions & { readonly artifactType?: string | undefined },
): Promise<readonly Descriptor[]> {
  const listed =
    (await fromApi(connection, subject, { artifactType, signal })) ?? (await fromTag(connection, subject, { signal }));
  return artifactType === undefined ? listed : listed.filter((entry) => entry.artifactType === artifactType);
}

async function fromApi(
  connection: RepositoryConnection,
  subject: Digest,
  { artifactType, signal }: CallOptions & { readonly artifactType?: string | undefined },
): Promise<readonly Descriptor[] | undefined> {
  const first = repositoryUrl(connection, `referrers/${subject}`);
  if (artifactType !== undefined) first.searchParams.set('artifactType', artifactType);
  let missing = false;
  const get = async (path: URL): Promise<HttpResponse> => {
    const response = await call(connection, { method: 'GET', path, headers: { accept: mediaTypes.ociIndex }, signal });
    // only the first answer tells of an API: a later page that fails must not end the list as if it were complete
    missing = path === first && (withoutApi.has(response.status) || (response.status === 200 && !isIndex(response)));
    if (response.status === 200 || missing) return response;
    const action = `list what refers to ${nameOf(connection, subject)}`;
    throw await errorFromResponse(response, { action, host: connection.host });
  };
  const found: Descriptor[] = [];
  const response = await get(first);
  if (missing) {
    await discard(response);
    return undefined;
  }
  for await (const { document } of pages(first, (url) => (url === first ? Promise.resolve(response) : get(url)))) {
    for (const entry of listIn(document, 'manifests', connection.host))
      found.push(parseDescriptor(entry, 'manifests[]'));
    if (found.length >= mostReferrers) break;
  }
  return found.slice(0, mostReferrers);
}

function isIndex(response: HttpResponse): boolean {
  return (header(response, 'content-type') ?? '').split(';', 1)[0]?.trim() === mediaTypes.ociIndex;
}

async function fromTag(
  connection: RepositoryConnection,
  subject: Digest,
  options: CallOptions,
): Promise<readonly Descriptor[]> {
  return (await readTagIndex(connection, subject, options))?.manifests ?? [];
}

async function readTagIndex(
  connection: RepositoryConnection,
  subject: Digest,
  options: CallOptions,
): Promise<ImageIndex | undefined> {
  try {
    const { content, descriptor } = await getManifest(connection, referrersTag(subject), options);
    return descriptor.mediaType === mediaTypes.ociIndex ? parseIndex(content) : undefined;
  } catch (error) {
    if (codeOf(error) === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** The tag that stands for the API (distribution-spec, "Referrers Tag Schema"). */
export function referrersTag(subject: Digest): string {
  return `${algorithmOf(subject)}-${hexOf(subject)}`.slice(0, 128);
}

/** Two of our own pushes to one subject must not write the fallback index over each other. */
const turns = new Turns();

/**
 * After a manifest with a subject was pushed: where the registry's answer has no `OCI-Subject`, it keeps no referrers
 * itself, and the index under the tag is ours to write.
 */
export async function recordReferrer(
  connection: RepositoryConnection,
  { pushed, answer }: { readonly pushed: FetchedManifest; readonly answer: HttpResponse },
  options: CallOptions,
): Promise<void> {
  if (header(answer, 'oci-subject') !== undefined) return;
  const referrer = referrerOf(pushed.descriptor, parseManifestOrIndex(pushed.content, pushed.descriptor.mediaType));
  if (referrer === undefined) return;
  await turns.take(turnOf(connection, referrer.subject), () => addToTag(connection, referrer, options));
}

function turnOf(connection: RepositoryConnection, subject: Digest): string {
  return `${nameOf(connection)} ${subject}`;
}

/** Writes of one index by several clients at once: each reads again what it wrote, and writes again what got lost. */
const writeAttempts = 5;

async function addToTag(
  connection: RepositoryConnection,
  { subject, entry }: { readonly subject: Digest; readonly entry: Descriptor },
  options: CallOptions,
): Promise<void> {
  for (let attempt = 1; attempt <= writeAttempts; attempt++) {
    const index = await readTagIndex(connection, subject, options);
    const listed = index?.manifests ?? [];
    if (listed.some(({ digest }) => digest === entry.digest)) return;
    await writeTagIndex(connection, subject, { ...emptyIndex, ...index, manifests: [...listed, entry] }, options);
  }
  throw new RegistryError('REJECTED', `the list of what refers to ${nameOf(connection, subject)} does not hold still`, {
    hint: `Others write ${referrersTag(subject)} at the same time; push again.`,
  });
}

/**
 * After a manifest with a subject was deleted: where the registry has no referrers API, it leaves the index under the tag
 * (distribution-spec, "Deleting Manifests").
 */
export async function forgetReferrer(
  connection: RepositoryConnection,
  { descriptor, content }: FetchedManifest,
  options: CallOptions,
): Promise<void> {
  const referrer = referrerOf(descriptor, parseManifestOrIndex(content, descriptor.mediaType));
  if (referrer === undefined) return;
  const { subject } = referrer;
  if ((await fromApi(connection, subject, options)) !== undefined) return;
  await turns.take(turnOf(connection, subject), () =>
    removeFromTag(connection, { subject, gone: descriptor.digest }, options),
  );
}

async function removeFromTag(
  connection: RepositoryConnection,
  { subject, gone }: { readonly subject: Digest; readonly gone: Digest },
  options: CallOptions,
): Promise<void> {
  const index = await readTagIndex(connection, subject, options);
  const manifests = index?.manifests.filter(({ digest }) => digest !== gone) ?? [];
  if (index === undefined || manifests.length === index.manifests.length) return;
  await writeTagIndex(connection, subject, { ...index, manifests }, options);
}

const emptyIndex: ImageIndex = { kind: 'index', mediaType: mediaTypes.ociIndex, manifests: [] };

async function writeTagIndex(
  connection: RepositoryConnection,
  subject: Digest,
  index: ImageIndex,
  options: CallOptions,
): Promise<void> {
  const content = Buffer.from(serializeIndex(index));
  const descriptor = describe(mediaTypes.ociIndex, content);
  await putManifest(connection, { descriptor, content }, { ...options, reference: referrersTag(subject) });
}
