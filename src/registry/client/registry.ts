import type { CallOptions } from '../../oci/index.ts';
import { catalogScope, repositoryScope } from '../auth/scope.ts';
import { type Credential, userOf } from '../credentials/credential.ts';
import { RegistryError } from '../error.ts';
import { canonicalHost } from '../host.ts';
import { discard } from '../http/body.ts';
import type { HttpResponse } from '../http/dispatch.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { connect, type RegistryOptions } from './connection.ts';
import { pages, stringsIn } from './paging.ts';
import type { RepositoryName } from './repository-name.ts';

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
  const first = new URL(`${connection.path}/_catalog?n=${pageSize}`, connection.base);
  const get = async (url: URL): Promise<HttpResponse> => {
    const response = await connection.dispatch({ method: 'GET', url, scopes: [catalogScope], signal: options.signal });
    if (response.status === 200) return response;
    throw await errorFromResponse(response, { action: `list the repositories of ${host}`, host: connection.host });
  };
  for await (const { document } of pages(first, get)) {
    for (const name of stringsIn(document, 'repositories', connection.host)) names.add(name);
  }
  return [...names];
}

/**
 * Asks a registry whether it takes a credential, before that is saved: `GET /v2/`, with the token exchange it leads to.
 * @returns what to save: a refresh token where its token server gives one, which can be revoked and is no password
 * @throws RegistryError UNAUTHORIZED, and others where the registry cannot be asked
 */
export async function checkLogin(
  host: string,
  credential: Credential,
  options: Omit<RegistryOptions, 'credential'> & CallOptions = {},
): Promise<Credential> {
  let refreshToken: string | undefined;
  const connection = connect(canonicalHost(host), '', {
    ...options,
    credential,
    watch: {
      refreshToken: (token) => {
        refreshToken = token;
      },
    },
  });
  const url = new URL(`${connection.path}/`, connection.base);
  try {
    const response = await connection.dispatch({ method: 'GET', url, signal: options.signal });
    if (response.status === 200) {
      await discard(response);
      const username = userOf(credential);
      return refreshToken === undefined ? credential : { kind: 'identity-token', token: refreshToken, username };
    }
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

/**
 * What a request for a repository carries as its Authorization, found by asking for it; undefined where the registry wants
 * none. It is a secret.
 * @throws RegistryError
 */
export async function authorizationFor(
  { registry, repository }: RepositoryName,
  access: 'pull' | 'push',
  options: RegistryOptions & CallOptions = {},
): Promise<string | undefined> {
  let value: string | undefined;
  const watch = {
    authorization: (sent: string) => {
      value = sent;
    },
  };
  const connection = connect(canonicalHost(registry), repository, { ...options, watch });
  const scopes = [repositoryScope(connection.repository, access === 'push' ? ['pull', 'push'] : ['pull'])];
  const url = new URL(`${connection.path}/`, connection.base);
  const response = await connection.dispatch({ method: 'GET', url, scopes, signal: options.signal });
  if (response.status !== 200) {
    throw await errorFromResponse(response, {
      action: `get a token for ${registry}/${repository}`,
      host: connection.host,
    });
  }
  await discard(response);
  return value;
}
