import type { CallOptions } from '../../oci/index.ts';
import { catalogScope } from '../auth/scope.ts';
import type { Credential } from '../credentials/credential.ts';
import { RegistryError } from '../error.ts';
import { canonicalHost } from '../host.ts';
import { discard } from '../http/body.ts';
import type { HttpResponse } from '../http/dispatch.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { connect, type RegistryOptions } from './connection.ts';
import { pages, stringsOf } from './paging.ts';

const pageSize = 1000;

/**
 * The names of all repositories of a registry that lets itself be asked (`/v2/_catalog`; Docker Hub does not).
 * @throws RegistryError
 */
export async function listRepositories(
  host: string,
  options: RegistryOptions & CallOptions = {},
): Promise<readonly string[]> {
  const connection = connect(canonicalHost(host), '', options);
  const names = new Set<string>();
  const first = new URL(`/v2/_catalog?n=${pageSize}`, connection.base);
  const get = async (url: URL): Promise<HttpResponse> => {
    const response = await connection.dispatch({ method: 'GET', url, scopes: [catalogScope], signal: options.signal });
    if (response.status === 200) return response;
    throw await errorFromResponse(response, { action: `list the repositories of ${host}`, host: connection.host });
  };
  for await (const { document } of pages(first, get)) {
    for (const name of stringsOf(document.repositories)) names.add(name);
  }
  return [...names];
}

/**
 * Asks a registry whether it takes a credential, before that is saved: `GET /v2/`, with the token exchange it leads to.
 * @throws RegistryError UNAUTHORIZED, and others where the registry cannot be asked
 */
export async function checkLogin(
  host: string,
  credential: Credential,
  options: Omit<RegistryOptions, 'credential'> & CallOptions = {},
): Promise<void> {
  const connection = connect(canonicalHost(host), '', { ...options, credential });
  const url = new URL('/v2/', connection.base);
  try {
    const response = await connection.dispatch({ method: 'GET', url, signal: options.signal });
    if (response.status === 200) return await discard(response);
    throw await errorFromResponse(response, { action: `log in to ${connection.host}`, host: connection.host });
  } catch (cause) {
    // The token service's refusal or the registry's own: neither should advise to log in.
    if (!(cause instanceof RegistryError) || cause.code !== 'UNAUTHORIZED') throw cause;
    const message = `login attempt to ${url.href} failed with status: 401 Unauthorized`;
    throw new RegistryError('UNAUTHORIZED', message, {
      status: 401,
      hint: 'Check the user name and the password.',
      cause,
    });
  }
}
