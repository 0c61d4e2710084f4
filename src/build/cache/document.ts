import {
  compact,
  compressionOf,
  type Descriptor,
  type Digest,
  isDigest,
  isForeignLayerType,
  type JsonObject,
  Members,
  OciError,
  parseJsonObject,
  sortedMap,
  toJsonBytes,
} from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import type { ImportedRecord } from './imported.ts';

/** Config of a cache manifest, whose layers are those of the steps that the config tells of. */
export const cacheConfigType = 'application/vnd.slipway.cache.config.v1+json';
/** The member of an image's config that holds a cache without layers of its own (`type=inline`). */
export const inlineMember = 'slipway.cache.v1';

/** What a cache tells: what steps gave, and facts about content (DESIGN idea 4). */
export interface CacheDocument {
  readonly records: readonly DocumentRecord[];
  readonly facts: readonly DocumentFact[];
}

/** A record as it travels; which blob holds its layer is said elsewhere. */
export type DocumentRecord = Omit<ImportedRecord, 'blob'>;

export interface DocumentFact {
  readonly kind: string;
  readonly key: string;
  readonly value: string;
}

/** A document with the blobs of a cache manifest. */
export interface ReadDocument extends CacheDocument {
  readonly blobs: ReadonlyMap<Digest, Descriptor>;
}

const version = 1;
const code = 'INVALID_CONFIG';
/** Steps of a thousand stages of thirty; and as many copies. */
const maxRecords = 30_000;
const maxFacts = 30_000;
const maxParts = 500;
const maxText = 64 * 1024;

/**
 * The bytes of a cache manifest's config: one form for one content, so that an unchanged cache is not pushed again.
 * @param blobs the blob that holds a layer, by diffID
 */
export function serializeDocument(document: CacheDocument, blobs: ReadonlyMap<Digest, Descriptor>): Buffer {
  const layers = Object.fromEntries([...blobs].map(([diffId, { digest }]) => [diffId, digest]));
  return toJsonBytes({ version, layers: sortedMap(layers), ...contentOf(document) });
}

/** The same as a member of an image's config. Without times that work took: they would make every image another one. */
export function inlineDocument({ records, facts }: CacheDocument): JsonObject {
  return { version, ...contentOf({ facts, records: records.map((record) => ({ ...record, duration: undefined })) }) };
}

function contentOf({ records, facts }: CacheDocument): JsonObject {
  return {
    records: records.toSorted((a, b) => order(a.key, b.key)).map(recordToJson),
    facts: facts
      .toSorted((a, b) => order(a.kind, b.kind) || order(a.key, b.key))
      .map(({ kind, key, value }) => ({ kind, key, value })),
  };
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function recordToJson({ key, diffId, parent, created, duration, parts }: DocumentRecord): JsonObject {
  return compact<JsonObject>({ key, diffId, parent, created, duration, parts: sortedMap(parts) });
}

/**
 * Reads a cache manifest's config, which anybody may have written.
 * @param layers what the manifest names
 * @throws BuildError CACHE_INVALID, CACHE_UNSUPPORTED (a later version)
 */
export function parseDocument(bytes: Uint8Array, layers: readonly Descriptor[]): ReadDocument {
  return strictly(() => {
    const members = new Members(parseJsonObject(bytes, 'cache config', code), '', code);
    refuseOtherVersion(members);
    return { ...readContent(members), blobs: readLayers(members, layers) };
  });
}

/** Reads the member of an image's config, parsed as JSON already. @throws as `parseDocument` */
export function parseInlineDocument(value: unknown): CacheDocument {
  return strictly(() => {
    const members = Members.of(value, inlineMember, code);
    refuseOtherVersion(members);
    return readContent(members);
  });
}

function strictly<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof OciError)) throw error;
    throw new BuildError('CACHE_INVALID', `not a cache: ${error.message}`, { cause: error });
  }
}

function refuseOtherVersion(members: Members): void {
  const found = members.integer('version') ?? members.fail('version', 'is missing');
  if (found === version) return;
  throw new BuildError('CACHE_UNSUPPORTED', `this cache has version ${found}, this program reads version ${version}`);
}

function readContent(members: Members): CacheDocument {
  return {
    records: bounded(members, 'records', maxRecords).map(readRecord),
    facts: bounded(members, 'facts', maxFacts).map(readFact),
  };
}

function bounded(members: Members, name: string, limit: number): readonly Members[] {
  const count = members.array(name)?.length ?? members.fail(name, 'is missing');
  if (count > limit) members.fail(name, `has ${count} entries, the limit is ${limit}`);
  return members.list(name) ?? [];
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

function readFact(fact: Members): DocumentFact {
  const [kind, key, value] = [textMember(fact, 'kind'), textMember(fact, 'key'), textMember(fact, 'value')];
  if (kind === 'created' && !rfc3339.test(value)) fact.fail('value', 'is not a time in RFC 3339');
  return { kind, key, value };
}

function readRecord(record: Members): DocumentRecord {
  const created = record.string('created');
  if (created !== undefined && !rfc3339.test(created)) record.fail('created', 'is not a time in RFC 3339');
  const duration = record.integer('duration');
  if (duration !== undefined && duration < 0) record.fail('duration', 'is negative');
  return {
    key: digestMember(record, 'key') ?? record.fail('key', 'is missing'),
    diffId: digestMember(record, 'diffId') ?? record.fail('diffId', 'is missing'),
    parent: digestMember(record, 'parent'),
    parts: readParts(record),
    created,
    duration,
  };
}

function readParts(record: Members): Readonly<Record<string, string>> {
  const parts = record.stringMap('parts') ?? {};
  const entries = Object.entries(parts);
  if (entries.length > maxParts) record.fail('parts', `has more than ${maxParts} entries`);
  if (entries.some(([name, value]) => name.length > maxText || value.length > 64)) record.fail('parts', 'is too long');
  return parts;
}

function textMember(members: Members, name: string): string {
  const text = members.requiredString(name);
  return text.length <= maxText ? text : members.fail(name, `has more than ${maxText} characters`);
}

/** Every key and diffID of ours is a SHA-256; another algorithm would only never match. */
function digestMember(members: Members, name: string): Digest | undefined {
  const text = members.string(name);
  if (text === undefined) return undefined;
  return isDigest(text) && text.startsWith('sha256:') ? text : members.fail(name, 'is not a SHA-256 digest');
}

/** Which blob holds which layer: only blobs that the manifest names, so that a registry keeps them as long as the cache. */
function readLayers(members: Members, layers: readonly Descriptor[]): ReadonlyMap<Digest, Descriptor> {
  const named = new Map(layers.map((layer) => [layer.digest, layer]));
  const stated = members.stringMap('layers') ?? members.fail('layers', 'is missing');
  return new Map(
    Object.entries(stated).map(([diffId, digest]) => {
      if (!isDigest(diffId)) members.fail('layers', 'has a name that is not a digest');
      const layer = isDigest(digest) ? named.get(digest) : undefined;
      if (layer === undefined) return members.fail('layers', 'names a blob that the manifest does not');
      return [diffId as Digest, layerOf(layer, members)];
    }),
  );
}

/** Only what identifies the blob: urls and embedded data from outside go no further. */
function layerOf({ mediaType, digest, size }: Descriptor, members: Members): Descriptor {
  if (compressionOf(mediaType) === undefined || isForeignLayerType(mediaType))
    members.fail('layers', `names a blob that is no layer: ${JSON.stringify(mediaType)}`);
  return { mediaType, digest, size };
}
