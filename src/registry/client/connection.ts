import type { Digest, Semaphore } from '../../oci/index.ts';
import { authenticate, type AuthWatch, type Purpose } from '../auth/authenticate.ts';
import { type Action, repositoryScope } from '../auth/scope.ts';
import { type CredentialBook, sharedBook } from '../credentials/credential-book.ts';
import { type Credential, guarded } from '../credentials/credential.ts';
import { baseUrlOf } from '../host.ts';
import type { Clock } from '../http/clock.ts';
import { compose, type Dispatch, type HttpResponse, type Method, type StreamBody } from '../http/dispatch.ts';
import { redaction, type TraceEvent } from '../http/redaction.ts';
import { redirect } from '../http/redirect.ts';
import type { Lanes } from './lanes.ts';
import { type RegistrySession, sharedSession } from './session.ts';

export interface RegistryOptions {
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
  readonly base: URL;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly lanes: Lanes;
  readonly uploads: Semaphore;
  readonly parallelFrom?: number | undefined;
  readonly parallelStreams?: number | undefined;
}

const userAgent = 'slipway';

/** Composes the layers for a host; `repository` ('' for none) decides which credential is looked up. */
export function connect(host: string, repository: string, options: RegistryOptions = {}): Connection {
  const session = options.session ?? sharedSession();
  const { dispatch, clock, parallelFrom, parallelStreams } = session;
  const base = baseUrlOf(host, options.scheme);
  const border = redaction({ trace: options.trace, warn: options.warn, clock });
  const tokenDispatch = compose(dispatch, [redirect({ otherOrigin: 'refuse' }), border]);
  const authentication = authenticate({
    registry: base,
    credential: (purpose) => credentialFor({ host, repository, purpose }, options),
    tokenDispatch,
    trustedRealms: options.trustedRealms,
    watch: options.watch,
    clock,
  });
  return {
    host,
    base,
    clock,
    lanes: session.lanesTo(host),
    uploads: session.uploads,
    parallelFrom,
    parallelStreams,
    dispatch: compose(dispatch, [redirect(), authentication, border]),
  };
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
  readonly repository: string;
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

/** Sends one call for a repository; any status is an answer. */
export function call(connection: RepositoryConnection, request: Call): Promise<HttpResponse> {
  const { path, actions = [], scopes = [], headers, body, ...rest } = request;
  const wanted = [...new Set([...connection.actions, ...actions])];
  return connection.dispatch({
    ...rest,
    url: typeof path === 'string' ? new URL(`/v2/${connection.repository}/${path}`, connection.base) : path,
    headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', accept: '*/*', ...headers },
    scopes: [repositoryScope(connection.repository, wanted), ...scopes],
    ...(body === undefined ? {} : { body }),
  });
}

/** `docker.io/library/debian@sha256:…`, for messages. */
export function nameOf(connection: RepositoryConnection, reference?: Digest | string): string {
  const name = `${connection.host}/${connection.repository}`;
  if (reference === undefined) return name;
  return reference.includes(':') ? `${name}@${reference}` : `${name}:${reference}`;
}
