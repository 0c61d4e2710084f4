import type { Endpoint } from '../endpoints.ts';
import { sendJson } from '../exchange.ts';
import type { ServerLayer, Visit } from '../pipeline.ts';
import { ProtocolError } from '../protocol-error.ts';
import type { Access } from './access-list.ts';
import { authorizationOf, quoted } from './authorization.ts';
import { basicAuth } from './basic-auth.ts';
import { grants, type ResourceAccess } from './scopes.ts';
import { answerTokenRequest, type Grant, type TokenServiceOptions } from './token-service.ts';
import { type TokenVerifierOptions, type VerifiedToken, verifyToken } from './token-verifier.ts';

export interface TokenAuthOptions extends TokenVerifierOptions {
  /** Where tokens are had, by what the client has asked for. */
  readonly realm: (visit: Visit) => string;
}

/** Lets in who has a token that a token server we trust has signed for what is wanted (distribution, docs/spec/auth). */
export function tokenAuth(options: TokenAuthOptions): ServerLayer {
  return async (visit, next) => {
    const { endpoint } = visit;
    const token = tokenOf(visit, options);
    visit.user = token?.user;
    visit.may = (action, name) => token !== undefined && grants(token.access, { type: 'repository', name }, action);
    const wanted = endpoint === undefined ? undefined : wantedBy(endpoint);
    if (endpoint === undefined) return next();
    if (token !== undefined && allows(token, endpoint)) return next();
    const why = token !== undefined ? 'insufficient_scope' : visit.request.headers.authorization && 'invalid_token';
    throw challenge(visit, { ...options, wanted, why: why || undefined });
  };
}

function tokenOf(visit: Visit, options: TokenAuthOptions): VerifiedToken | undefined {
  const authorization = authorizationOf(visit);
  if (authorization === 'none' || authorization?.scheme !== 'bearer') return undefined;
  return verifyToken(authorization.token, options);
}

/** What a client should ask a token for; undefined where any token is enough. */
function wantedBy({ action, name }: Endpoint): ResourceAccess | undefined {
  if (action === 'none') return undefined;
  if (action === 'catalog' || action === 'metrics') return { type: 'registry', name: action, actions: ['*'] };
  return { type: 'repository', name, actions: action === 'push' ? ['pull', 'push'] : [action] };
}

function allows({ access }: VerifiedToken, { action, name }: Endpoint): boolean {
  if (action === 'none') return true;
  if (action === 'catalog' || action === 'metrics') return grants(access, { type: 'registry', name: action }, '*');
  return grants(access, { type: 'repository', name }, action);
}

interface ChallengeOptions extends Pick<TokenAuthOptions, 'realm' | 'service'> {
  readonly wanted: ResourceAccess | undefined;
  readonly why: 'insufficient_scope' | 'invalid_token' | undefined;
}

function challenge(visit: Visit, { realm, service, wanted, why }: ChallengeOptions): ProtocolError {
  const parameters = {
    realm: realm(visit),
    service,
    ...(wanted === undefined ? {} : { scope: `${wanted.type}:${wanted.name}:${wanted.actions.join(',')}` }),
    ...(why === undefined ? {} : { error: why }),
  };
  const header = Object.entries(parameters).map(([name, value]) => `${name}=${quoted(value)}`);
  return new ProtocolError('UNAUTHORIZED', 'authentication required', {
    headers: { 'www-authenticate': `Bearer ${header.join(',')}` },
    detail:
      wanted === undefined ? null : wanted.actions.map((Action) => ({ Type: wanted.type, Name: wanted.name, Action })),
  });
}

export interface OwnTokenAuthOptions extends Omit<TokenServiceOptions, 'grant' | 'services'> {
  readonly access: Access;
  /** What tokens are for; also what other registries call themselves that take our tokens. */
  readonly services: readonly [string, ...string[]];
  /** Where clients reach `/token`; by the host that they ask for unless given. */
  readonly realm?: string | undefined;
  /** Takes the place of what `access` would grant. */
  readonly grant?: Grant | undefined;
}

/** Is its own token server, at `/token`; `/token/keys` tells the public key. Prometheus, which knows no tokens, uses Basic. */
export function ownTokenAuth(options: OwnTokenAuthOptions): ServerLayer {
  const { signer, issuer, access, users } = options;
  const service: TokenServiceOptions = { ...options, grant: options.grant ?? grantBy(access) };
  const realm = (visit: Visit): string => options.realm ?? `${originOf(visit)}/token`;
  const guard = tokenAuth({ issuer, service: options.services[0], trusted: signer.trusted, realm });
  const basic = basicAuth({ users, access });
  return async (visit, next) => {
    if (visit.path === '/token') return answerTokenRequest(service, visit);
    if (visit.path === '/token/keys') return sendJson(visit, { document: signer.keySet });
    return visit.endpoint?.route === 'metrics' ? basic(visit, next) : guard(visit, next);
  };
}

const repositoryActions = ['pull', 'push', 'delete'] as const;

/** What an access list allows; `*` where that is everything. */
export function grantBy(access: Access): Grant {
  return (user, { type, name, actions }) => {
    if (type === 'registry') return name === 'catalog' && access(user, 'catalog', '') ? ['*'] : [];
    if (type !== 'repository') return [];
    const allowed = repositoryActions.filter((action) => access(user, action, name));
    if (!actions.includes('*')) return allowed.filter((action) => actions.includes(action));
    return allowed.length === repositoryActions.length ? [...allowed, '*'] : allowed;
  };
}

/** As the client has it; what is no host gives a realm that nobody can use. */
function originOf({ request }: Visit): string {
  const isSecure = 'encrypted' in request.socket;
  const host = request.headers.host ?? String(request.headers[':authority'] ?? '');
  const safe = /^[a-zA-Z0-9.:[\]_-]{1,255}$/.test(host) ? host : 'invalid';
  return `${isSecure ? 'https' : 'http'}://${safe}`;
}
