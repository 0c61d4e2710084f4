import type { CallOptions, Descriptor, Digest } from '../../oci/index.ts';
import { RegistryError } from '../error.ts';
import { abandon, discard } from '../http/body.ts';
import { header, type HttpResponse } from '../http/dispatch.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { call, nameOf, type RepositoryConnection } from './connection.ts';
import { notFound } from './manifests.ts';

/**
 * The size of a blob that is known by its digest alone; its media type is in the manifests that name it.
 * @throws OciError NOT_FOUND; RegistryError BAD_RESPONSE where the registry does not say
 */
export async function describeBlob(
  connection: RepositoryConnection,
  digest: Digest,
  { signal }: CallOptions,
): Promise<Descriptor> {
  const path = `blobs/${digest}`;
  const head = await call(connection, { method: 'HEAD', path, signal });
  await discard(head);
  const told = head.status === 200 ? sizeOf(head) : undefined;
  if (head.status === 404) throw notFound(connection, digest);
  const size = told ?? (await sizeByGet(connection, digest, { signal }));
  return { mediaType: 'application/octet-stream', digest, size };
}

/** For registries that refuse HEAD or tell no length there; the reason of a refusal is in a body, which HEAD has none. */
async function sizeByGet(connection: RepositoryConnection, digest: Digest, { signal }: CallOptions): Promise<number> {
  const get = await call(connection, { method: 'GET', path: `blobs/${digest}`, signal });
  if (get.status === 200) {
    abandon(get.body);
    const size = sizeOf(get);
    if (size !== undefined) return size;
    throw new RegistryError('BAD_RESPONSE', `${connection.host} does not say how long ${digest} is`);
  }
  const error = await errorFromResponse(get, { action: `pull ${nameOf(connection, digest)}`, host: connection.host });
  throw get.status === 404 ? notFound(connection, digest, error) : error;
}

function sizeOf(response: HttpResponse): number | undefined {
  const length = header(response, 'content-length') ?? '';
  return /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
