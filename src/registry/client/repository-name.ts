import { formatName, parseReference } from '../../oci/index.ts';
import { RegistryError } from '../error.ts';
import { canonicalHost } from '../host.ts';

/** A repository of a registry: `docker.io` and `library/debian`. A parsed reference is one. */
export interface RepositoryName {
  readonly registry: string;
  readonly repository: string;
}

/** The distribution specification's own expression for a tag. */
export const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/**
 * Reads or checks a name with docker's defaults; a tag or digest in it is left out.
 * @throws OciError INVALID_REFERENCE
 */
export function repositoryName(name: RepositoryName | string): RepositoryName {
  const text = typeof name === 'string' ? name : formatName(name);
  const { registry, repository } = parseReference(text, { keepUntagged: true });
  return { registry: canonicalHost(registry), repository };
}

/** A tag fit to be part of a URL. @throws RegistryError INVALID_NAME */
export function checkTag(tag: string): string {
  if (tagPattern.test(tag)) return tag;
  throw new RegistryError('INVALID_NAME', `not a tag: ${JSON.stringify(tag.slice(0, 160))}`, {
    hint: 'Letters, digits, _ . and -, not beginning with . or -, 128 characters at most.',
  });
}
