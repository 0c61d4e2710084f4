import { type Descriptor, mediaTypeMember, parseDescriptor } from './descriptor.ts';
import { OciError } from './error.ts';
import { compact, Members, parseJsonObject } from './json.ts';
import type { ImageIndex, Manifest } from './manifest.ts';
import { isIndexType, isManifestType, mediaTypes } from './media-types.ts';
import { repeatedName } from './repeated-names.ts';

/** Most entries of an index that are read. */
export const maxIndexEntries = 1000;

/** Content types that say nothing: a proxy or file server put them there, so the body decides. */
const vagueTypes = new Set(['', 'application/octet-stream', 'binary/octet-stream', 'application/json']);

/**
 * Parses an image manifest from bytes that may be hostile.
 * @param contentType what the registry or descriptor says it is; a body that says otherwise is refused
 * @throws OciError INVALID_MANIFEST, INVALID_DESCRIPTOR, UNSUPPORTED_MEDIA_TYPE, TOO_LARGE
 */
export function parseManifest(bytes: Uint8Array, contentType?: string): Manifest {
  const document = parseManifestOrIndex(bytes, contentType);
  if (document.kind === 'manifest') return document;
  throw new OciError(
    'UNSUPPORTED_MEDIA_TYPE',
    `an image manifest was expected, this is an index (${document.mediaType})`,
  );
}

/** Like `parseManifest`, for an index or docker manifest list; at most 1000 entries. */
export function parseIndex(bytes: Uint8Array, contentType?: string): ImageIndex {
  const document = parseManifestOrIndex(bytes, contentType);
  if (document.kind === 'index') return document;
  throw new OciError(
    'UNSUPPORTED_MEDIA_TYPE',
    `an index was expected, this is an image manifest (${document.mediaType})`,
  );
}

/**
 * Parses either. A missing or vague content type (`text/plain`, `application/octet-stream`) leaves the question to the body;
 * any other must agree with it, and one document cannot be both (CVE-2021-41190).
 */
export function parseManifestOrIndex(bytes: Uint8Array, contentType?: string): Manifest | ImageIndex {
  const members = new Members(parseJsonObject(bytes, 'manifest', 'INVALID_MANIFEST'), '', 'INVALID_MANIFEST');
  const stated = statedType(contentType);
  refuseSchema1(members, stated);
  refuseRepeatedNames(bytes, members);
  checkUnambiguous(members);
  if (members.integer('schemaVersion') !== 2) members.fail('schemaVersion', 'must be 2');
  const mediaType = agreedType(members, stated);
  if (isIndexType(mediaType)) return readIndex(members, mediaType);
  if (isManifestType(mediaType)) return readManifest(members, mediaType);
  throw new OciError('UNSUPPORTED_MEDIA_TYPE', `not an image manifest or index: ${JSON.stringify(mediaType)}`);
}

function statedType(contentType: string | undefined): string | undefined {
  const bare = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return vagueTypes.has(bare) || bare.startsWith('text/') ? undefined : bare;
}

function refuseSchema1(members: Members, stated: string | undefined): void {
  const types = [stated, members.raw('mediaType')];
  const isSchema1 =
    members.raw('schemaVersion') === 1 ||
    types.some(
      (type) => typeof type === 'string' && type.startsWith('application/vnd.docker.distribution.manifest.v1+'),
    );
  if (!isSchema1) return;
  throw new OciError(
    'UNSUPPORTED_MEDIA_TYPE',
    'this image has a docker schema 1 manifest, a format withdrawn in 2017',
    {
      hint: 'push the image again with a current tool; registries and clients no longer read schema 1',
    },
  );
}

const telling = ['schemaVersion', 'mediaType', 'config', 'layers', 'manifests', 'fsLayers', 'history', 'subject'];
const spelling = new Map(telling.map((name) => [name.toLowerCase(), name]));

/**
 * A document must read the same to every client. Go's decoder ignores case in names, so `Layers` would be layers there and
 * nothing here.
 */
function checkUnambiguous(members: Members): void {
  for (const name of members.names()) {
    const proper = spelling.get(name.toLowerCase());
    if (proper !== undefined && proper !== name) members.fail(name, `must be spelt ${JSON.stringify(proper)}`);
  }
  const foreign = members.has('manifests') ? ['layers', 'config', 'fsLayers', 'history'] : ['fsLayers', 'history'];
  const found = foreign.find((name) => members.has(name));
  if (found === undefined) return;
  const kind = members.has('manifests') ? 'an index' : 'an image manifest';
  members.fail(found, `does not belong into ${kind}: documents that can be read in two ways are refused`);
}

/** A name that stands twice is read in two ways: by whoever takes the first, and by whoever takes the last. */
function refuseRepeatedNames(bytes: Uint8Array, members: Members): void {
  const name = repeatedName(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  if (name !== undefined)
    members.fail(name, 'stands twice in one object: documents that can be read in two ways are refused');
}

function agreedType(members: Members, stated: string | undefined): string {
  const body = mediaTypeMember(members, 'mediaType');
  if (body !== undefined && stated !== undefined && body !== stated) {
    members.fail('mediaType', `is ${JSON.stringify(body)}, but the content was said to be ${JSON.stringify(stated)}`);
  }
  return body ?? stated ?? (members.has('manifests') ? mediaTypes.ociIndex : mediaTypes.ociManifest);
}

function readManifest(members: Members, mediaType: string): Manifest {
  if (members.has('manifests')) members.fail('manifests', 'does not belong into an image manifest');
  if (!members.has('layers')) members.fail('layers', 'is missing');
  return compact<Manifest>({
    kind: 'manifest',
    mediaType,
    artifactType: mediaTypeMember(members, 'artifactType'),
    config: parseDescriptor(members.raw('config') ?? members.fail('config', 'is missing'), 'config'),
    layers: descriptors(members, 'layers'),
    subject: subjectOf(members),
    annotations: members.stringMap('annotations'),
  });
}

function readIndex(members: Members, mediaType: string): ImageIndex {
  if (!members.has('manifests')) members.fail('manifests', 'is missing');
  const entries = members.array('manifests')?.length ?? 0;
  if (entries > maxIndexEntries) members.fail('manifests', `has ${entries} entries, the limit is ${maxIndexEntries}`);
  return compact<ImageIndex>({
    kind: 'index',
    mediaType,
    artifactType: mediaTypeMember(members, 'artifactType'),
    manifests: descriptors(members, 'manifests'),
    subject: subjectOf(members),
    annotations: members.stringMap('annotations'),
  });
}

/** `null` is what Go writes for an empty list. */
function descriptors(members: Members, name: string): readonly Descriptor[] {
  return (members.array(name) ?? []).map((value, at) => parseDescriptor(value, `${name}[${at}]`));
}

function subjectOf(members: Members): Descriptor | undefined {
  const value = members.raw('subject');
  return value === undefined ? undefined : parseDescriptor(value, 'subject');
}
