import type { IncomingMessage } from 'node:http';
import { sendJson } from '../exchange.ts';
import type { Visit } from '../pipeline.ts';
import { ProtocolError } from '../protocol-error.ts';
import { basicUser, quoted } from './authorization.ts';
import { parseScopes, type ResourceAccess } from './scopes.ts';
import type { TokenSigner } from './token-signer.ts';
import { verifyToken } from './token-verifier.ts';
import type { Users } from './users.ts';

/** Which of the actions somebody asks for on a repository or the catalog he gets. */
export type Grant = (
  user: string | undefined,
  wanted: ResourceAccess,
) => Promise<readonly string[]> | readonly string[];

export interface TokenServiceOptions {
  readonly users: Users;
  readonly grant: Grant;
  readonly signer: TokenSigner;
  readonly issuer: string;
  /** Services that tokens are given for, the first where a client names none. */
  readonly services: readonly string[];
  /** Seconds; 300 unless given. */
  readonly life?: number | undefined;
}

/** Seconds for which a refresh token holds, if the password does not change meanwhile. */
const refreshLife = 90 * 24 * 3600;
const largestForm = 64 * 1024;

/**
 * The token protocol of docker's registry: GET with Basic (docs/spec/auth/token.md) and POST with a password or a refresh
 * token (docs/spec/auth/oauth.md). Who names nobody gets what everybody may do.
 */
export async function answerTokenRequest(options: TokenServiceOptions, visit: Visit): Promise<void> {
  const { request } = visit;
  if (request.method === 'POST') return answerForm(options, visit);
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw new ProtocolError('UNSUPPORTED', 'tokens are had by GET or POST', { headers: { allow: 'GET, POST' } });
  const { query } = visit;
  const known = await basicUser(visit, options.users);
  if (known === undefined) throw refused(options);
  const user = known === 'none' ? undefined : known.user;
  visit.user = user;
  return sendToken(options, visit, {
    user,
    service: query.get('service'),
    scopes: query.getAll('scope'),
    wantsRefresh: query.get('offline_token') === 'true',
  });
}

async function answerForm(options: TokenServiceOptions, visit: Visit): Promise<void> {
  const form = new URLSearchParams(await readForm(visit.request));
  const service = form.get('service');
  const grantType = form.get('grant_type');
  const user =
    grantType === 'refresh_token'
      ? await userOfRefresh(options, form.get('refresh_token') ?? '')
      : grantType === 'password'
        ? await userOfPassword(options, form)
        : undefined;
  if (grantType !== 'refresh_token' && grantType !== 'password')
    throw new ProtocolError('UNSUPPORTED', 'grant_type is password or refresh_token', { status: 400 });
  if (user === undefined) throw refused(options);
  visit.user = user;
  const scopes = form.getAll('scope');
  return sendToken(options, visit, { user, service, scopes, wantsRefresh: form.get('access_type') === 'offline' });
}

async function userOfPassword({ users }: TokenServiceOptions, form: URLSearchParams): Promise<string | undefined> {
  const user = form.get('username') ?? '';
  return (await users.verify(user, form.get('password') ?? '')) ? user : undefined;
}

/** A refresh token is one of ours for ourselves, void as soon as the password is another one. */
async function userOfRefresh(
  { users, signer, issuer }: TokenServiceOptions,
  token: string,
): Promise<string | undefined> {
  const service = refreshAudience(issuer);
  const verified = verifyToken(token, { issuer, service, trusted: signer.trusted });
  if (verified?.user === undefined) return undefined;
  const stamp = await users.stamp(verified.user);
  return stamp !== undefined && stamp === verified.claims['stamp'] ? verified.user : undefined;
}

interface TokenWish {
  readonly user: string | undefined;
  readonly service: string | null;
  readonly scopes: readonly string[];
  readonly wantsRefresh: boolean;
}

async function sendToken(options: TokenServiceOptions, visit: Visit, wish: TokenWish): Promise<void> {
  const { signer, issuer, services, users, life = 300 } = options;
  const { user, wantsRefresh } = wish;
  const service = wish.service ?? services[0] ?? '';
  if (!services.includes(service))
    throw new ProtocolError('DENIED', 'tokens of that service are not given here', { status: 400 });
  const now = Math.floor(Date.now() / 1000);
  const access = await grantAll(options, user, wish.scopes);
  const common = { iss: issuer, sub: user ?? '', iat: now };
  const token = signer.sign({
    ...common,
    aud: service,
    nbf: now - 5,
    exp: now + life,
    jti: crypto.randomUUID(),
    access,
  });
  const stamp = user === undefined ? undefined : await users.stamp(user);
  const refresh =
    wantsRefresh && stamp !== undefined
      ? signer.sign({ ...common, aud: refreshAudience(issuer), exp: now + refreshLife, stamp })
      : undefined;
  sendJson(visit, {
    document: {
      token,
      access_token: token,
      token_type: 'Bearer',
      expires_in: life,
      issued_at: new Date(now * 1000).toISOString(),
      scope: access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' '),
      refresh_token: refresh,
    },
    headers: { 'cache-control': 'no-store' },
  });
}

/** What is allowed of what is asked for; the rest is left out and no error (docs/spec/auth/token.md, "Requesting a token"). */
async function grantAll({ grant }: TokenServiceOptions, user: string | undefined, scopes: readonly string[]) {
  const granted: ResourceAccess[] = [];
  for (const wanted of parseScopes(scopes)) {
    const actions = await grant(user, wanted);
    if (actions.length > 0) granted.push({ ...wanted, actions });
  }
  return granted;
}

function refreshAudience(issuer: string): string {
  return `${issuer} refresh`;
}

function refused({ issuer }: TokenServiceOptions): ProtocolError {
  return new ProtocolError('UNAUTHORIZED', 'the user or the password is wrong', {
    headers: { 'www-authenticate': `Basic realm=${quoted(issuer)}, charset="UTF-8"` },
  });
}

async function readForm(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestForm) throw new ProtocolError('SIZE_INVALID', 'the form is too large', { status: 413 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
