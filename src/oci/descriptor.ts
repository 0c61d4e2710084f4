import { digestOf, algorithmOf, isDigest, type Digest } from './digest.ts';
import { compact, type JsonObject, Members, sortedMap } from './json.ts';
import { type Platform, platformFromJson, platformToJson } from './platform.ts';

/** What a piece of content is, its digest and its size in bytes (image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** The content itself, verified against `digest`. */
  readonly data?: Uint8Array;
  readonly artifactType?: string;
  /** In an index: what the manifest is for. */
  readonly platform?: Platform;
}

/**
 * Parses a descriptor from a JSON value that may be hostile; embedded `data` is checked against size and digest.
 * @param path where the value stands, for messages: `layers[2]`
 * @throws OciError INVALID_DESCRIPTOR
 */
export function parseDescriptor(value: unknown, path = 'descriptor'): Descriptor {
  const members = Members.of(value, path, 'INVALID_DESCRIPTOR');
  const digest = digestMember(members);
  const size = members.integer('size') ?? members.fail('size', 'is missing');
  if (size < 0) members.fail('size', 'is negative');
  const platform = members.members('platform');
  return compact<Descriptor>({
    mediaType: mediaTypeMember(members, 'mediaType') ?? members.fail('mediaType', 'is missing'),
    digest,
    size,
    urls: members.strings('urls'),
    annotations: members.stringMap('annotations'),
    data: parseData(members, digest, size),
    artifactType: mediaTypeMember(members, 'artifactType'),
    platform: platform && platformFromJson(platform),
  });
}

/** A descriptor of `content`, which is small: a manifest, an index, a config. */
export function describe(mediaType: string, content: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(content), size: content.byteLength };
}

/** The JSON form, members in the order of the specification's Go types. */
export function descriptorToJson(descriptor: Descriptor): JsonObject {
  return compact<JsonObject>({
    mediaType: descriptor.mediaType,
    digest: descriptor.digest,
    size: descriptor.size,
    urls: descriptor.urls,
    annotations: descriptor.annotations && sortedMap(descriptor.annotations),
    data: descriptor.data && Buffer.from(descriptor.data).toString('base64'),
    platform: descriptor.platform && platformToJson(descriptor.platform),
    artifactType: descriptor.artifactType,
  });
}

/** A media type: printable ASCII with a slash; parameters are let through, as artifacts use them. Empty counts as absent. */
export function mediaTypeMember(members: Members, name: string): string | undefined {
  const value = members.string(name);
  if (value === undefined || value === '') return undefined;
  if (value.length > 255 || !/^[!-~]+\/[ -~]*[!-~]$/.test(value)) members.fail(name, 'is not a media type');
  return value;
}

function digestMember(members: Members): Digest {
  const text = members.requiredString('digest');
  return isDigest(text) ? text : members.fail('digest', `is not a digest: ${JSON.stringify(text.slice(0, 160))}`);
}

function parseData(members: Members, digest: Digest, size: number): Uint8Array | undefined {
  const text = members.string('data');
  if (text === undefined) return undefined;
  const data = Buffer.from(text, 'base64');
  // Buffer ignores what is not base64; writing it again shows it.
  if (data.toString('base64') !== text) members.fail('data', 'is not base64');
  if (data.byteLength !== size) members.fail('data', `has ${data.byteLength} bytes, not ${size}`);
  if (digestOf(data, algorithmOf(digest)) !== digest) members.fail('data', 'is not what the digest says');
  return data;
}
