import type { CallOptions } from '../../oci/index.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { call, nameOf, type RepositoryConnection, repositoryUrl } from './connection.ts';
import { notFound } from './manifests.ts';
import { pages, stringsIn } from './paging.ts';

/** As large as ECR allows; docker-registry gives 100 whatever is asked. */
const pageSize = 1000;

/** All tags, in the registry's order. @throws OciError NOT_FOUND where there is no such repository */
export async function listTags(connection: RepositoryConnection, { signal }: CallOptions): Promise<readonly string[]> {
  const tags = new Set<string>();
  const first = repositoryUrl(connection, `tags/list?n=${pageSize}`);
  const get = async (path: URL) => {
    const response = await call(connection, { method: 'GET', path, signal });
    if (response.status === 200) return response;
    const action = `list the tags of ${nameOf(connection)}`;
    const error = await errorFromResponse(response, { action, host: connection.host });
    throw response.status === 404 ? notFound(connection, '', error) : error;
  };
  for await (const { document } of pages(first, get)) {
    // some leave an empty list out
    if (!Object.hasOwn(document, 'tags') && typeof document.name === 'string') continue;
    for (const tag of stringsIn(document, 'tags', connection.host)) tags.add(tag);
  }
  return [...tags];
}
