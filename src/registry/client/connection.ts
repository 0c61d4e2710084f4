import type { Digest, Semaphore } from '../../oci/index.ts';
import { authenticate, type AuthWatch, type Purpose } from '../auth/authenticate.ts';
import { type Action, repositoryScope } from '../auth/scope.ts';
import { type CredentialBook, sharedBook } from '../credentials/credential-book.ts';
import { type Credential, guarded } from '../credentials/credential.ts';
import type { SettledEndpoint } from '../config/endpoint.ts';
import { baseUrlOf } from '../host.ts';
import type { Clock } from '../http/clock.ts';
import type { RetryPolicy } from '../http/backoff.ts';
import { compose, type Dispatch, type HttpResponse, type Method, type StreamBody } from '../http/dispatch.ts';
import { atEndpoint } from '../http/endpoint-layer.ts';
import { usualReach } from '../http/reach.ts';
import { redaction, type TraceEvent } from '../http/redaction.ts';
import { redirect } from '../http/redirect.ts';
import type { Lanes } from './lanes.ts';
import type { Mirrors } from './mirrors.ts';
import { type RegistrySession, sharedSession, type TransferNumbers } from './session.ts';

export interface RegistryOptions {
  /** The server that is asked; the one that the name tells unless given. */
  readonly endpoint?: SettledEndpoint | undefined;
  /** Which protocol to speak; http for loopback hosts and https for all others unless given. `http` is docker's "insecure registry". */
  readonly scheme?: 'http' | 'https' | undefined;
  /** The credential to use; looked up in the user's files and credential programs unless given, `anonymous` for none. */
  readonly credential?: Credential | 'anonymous' | undefined;
  /** Where it is looked up; the files and programs of this process's environment unless given. */
  readonly credentials?: CredentialBook | undefined;
  /** Hosts of token servers that may get the credential although they are on another domain. */
  readonly trustedRealms?: readonly string[] | undefined;
  readonly session?: RegistrySession | undefined;
  readonly watch?: AuthWatch | undefined;
  readonly trace?: ((event: TraceEvent) => void) | undefined;
  readonly warn?: ((message: string) => void) | undefined;
}

/** One registry as seen by one user, all layers composed. */
export interface Connection {
  readonly host: string;
  /** The repository's name at this host; '' for none. */
  readonly repository: string;
  readonly base: URL;
  /** Where the API begins: `/v2`. */
  readonly path: string;
  /** Told with every question as `ns`, where the host stands for another registry. */
  readonly namespace: string | undefined;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly policy: RetryPolicy;
  readonly warn?: ((message: string) => void) | undefined;
  /** Blobs whose Content-Encoding turned out to be a wrong label. */
  readonly mislabelled: Set<Digest>;
  readonly lanes: Lanes;
  readonly uploads: Semaphore;
  readonly transfers: TransferNumbers;
}

const userAgent = 'slipway';

/** Composes the layers for a host; `repository` ('' for none) decides which credential is looked up. */
export function connect(host: string, repository: string, options: RegistryOptions = {}): Connection {
  const session = options.session ?? sharedSession();
  const { clock, policy, transfers } = session;
  const endpoint = options.endpoint ?? plainEndpoint(host, repository, options.scheme);
  const base = baseUrlOf(endpoint.host, endpoint.scheme);
  const { reach, headers } = endpoint;
  const dispatch = compose(session.dispatch, [atEndpoint({ origin: base.origin, reach, headers })]);
  const border = redaction({ trace: options.trace, warn: options.warn, clock });
  const tokenDispatch = compose(dispatch, [redirect({ otherOrigin: 'refuse' }), border]);
  const query = { host: endpoint.host, repository: endpoint.repository };
  const authentication = authenticate({
    registry: base,
    credential: (purpose) => credentialFor({ ...query, purpose }, options),
    tokenDispatch,
    trustedRealms: options.trustedRealms,
    watch: options.watch,
    clock,
  });
  return {
    host: endpoint.host,
    repository: endpoint.repository,
    path: endpoint.path,
    namespace: endpoint.namespace,
    base,
    clock,
    policy,
    warn: options.warn,
    mislabelled: new Set(),
    lanes: session.lanesTo(endpoint.host),
    uploads: session.uploads,
    transfers,
    dispatch: compose(dispatch, [redirect(), authentication, border]),
  };
}

/** A registry of which nothing but the name is known. */
function plainEndpoint(host: string, repository: string, scheme: 'http' | 'https' | undefined): SettledEndpoint {
  const protocol = baseUrlOf(host, scheme).protocol === 'http:' ? 'http' : 'https';
  const unsaid = { headers: {}, namespace: undefined, place: undefined };
  return { host, repository, scheme: protocol, path: '/v2', reach: usualReach, ...unsaid };
}

async function credentialFor(
  query: { readonly host: string; readonly repository: string; readonly purpose: Purpose },
  { credential, credentials = sharedBook(), warn }: RegistryOptions,
): Promise<Credential | undefined> {
  if (credential !== undefined) return credential === 'anonymous' ? undefined : guarded(credential);
  return (await credentials.find(query, { warn }))?.credential;
}

/** A repository behind a connection. */
export interface RepositoryConnection extends Connection {
  /** Asked before the registry itself, for what they may serve. */
  readonly mirrors?: Mirrors | undefined;
  /** What every token asks for; a target that will be pushed to asks for both at once and so needs one token. */
  readonly actions: readonly Action[];
}

export interface Call {
  readonly method: Method;
  /** Below `/v2/<name>/`, such as `tags/list`; or a whole URL that the registry gave. */
  readonly path: string | URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | StreamBody | undefined;
  readonly actions?: readonly Action[];
  /** Further scopes, such as the source of a mount. */
  readonly scopes?: readonly string[];
  readonly attempts?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends one call for a repository; any status is an answer. What mirrors may serve is asked of them first, once each, and
 * of the repository's own registry where none has it; `source` of the answer tells.
 */
export async function call(connection: RepositoryConnection, request: Call): Promise<HttpResponse> {
  return (await connection.mirrors?.read(request)) ?? send(connection, request);
}

function send(connection: RepositoryConnection, request: Call): Promise<HttpResponse> {
  const { path, actions = [], scopes = [], headers, body, ...rest } = request;
  const wanted = [...new Set([...connection.actions, ...actions])];
  return connection.dispatch({
    ...rest,
    url: typeof path === 'string' ? repositoryUrl(connection, path) : path,
    headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', accept: '*/*', ...headers },
    scopes: [repositoryScope(connection.repository, wanted), ...scopes],
    ...(body === undefined ? {} : { body }),
  });
}

/** The URL of something of a repository, such as `tags/list?n=10`. */
export function repositoryUrl(connection: Connection, path: string): URL {
  const url = new URL(`${connection.path}/${connection.repository}/${path}`, connection.base);
  if (connection.namespace !== undefined) url.searchParams.set('ns', connection.namespace);
  return url;
}

/** `docker.io/library/debian@sha256:…`, for messages. */
export function nameOf(connection: RepositoryConnection, reference?: Digest | string): string {
  const name = `${connection.host}/${connection.repository}`;
  if (reference === undefined) return name;
  return reference.includes(':') ? `${name}@${reference}` : `${name}:${reference}`;
}
