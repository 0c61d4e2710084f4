import { type Digest, formatName, isDigest, OciError, parseReference, withTag } from '../oci/index.ts';

/**
 * The full name with its tag, `docker.io/library/debian:12`; a digest beside the tag is left out.
 * @throws OciError INVALID_REFERENCE
 */
export function fullName(text: string): string {
  const reference = parseReference(text);
  if (reference.tag === undefined) throw new OciError('INVALID_REFERENCE', `${text} names content, it is no tag`);
  return nameOf(withTag(reference, reference.tag));
}

/** What a person may have meant by a word: a name, content of a repository, an id. */
export interface ImageQuery {
  readonly name: string | undefined;
  /** `repository@digest`. */
  readonly repoDigest: { readonly repository: string; readonly digest: Digest } | undefined;
  /** Hex digits that an id begins with. */
  readonly idPrefix: string | undefined;
}

/** Never throws: what cannot be a name finds none. */
export function imageQuery(text: string): ImageQuery {
  const bare = text.startsWith('sha256:') ? text.slice('sha256:'.length) : text;
  const idPrefix = /^[0-9a-f]{1,64}$/.test(bare) ? bare : undefined;
  if (isDigest(text) || bare !== text) return { name: undefined, repoDigest: undefined, idPrefix };
  try {
    const reference = parseReference(text);
    const repository = formatName(reference);
    if (reference.digest !== undefined) {
      return { name: undefined, repoDigest: { repository, digest: reference.digest }, idPrefix: undefined };
    }
    return { name: nameOf(reference), repoDigest: undefined, idPrefix };
  } catch {
    return { name: undefined, repoDigest: undefined, idPrefix };
  }
}

function nameOf(reference: ReturnType<typeof parseReference>): string {
  return `${formatName(reference)}:${reference.tag ?? 'latest'}`;
}

/** The repository's part of a full name. */
export function repositoryOfName(name: string): string {
  return name.slice(0, name.lastIndexOf(':'));
}
