import { basicAuthorization, type Credential } from '../credentials/credential.ts';
import { RegistryError } from '../error.ts';
import { discard, readAll } from '../http/body.ts';
import type { Clock } from '../http/clock.ts';
import type { Dispatch, HttpRequest, HttpResponse } from '../http/dispatch.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { redactUrl, rememberSecret } from '../redact.ts';
import { isRecord } from '../record.ts';

/** A bearer token and when we stop using it. */
export interface Token {
  readonly value: string;
  /** Milliseconds since 1970 of our own clock; the server's `issued_at` may come from a skewed one. */
  readonly renewAt: number;
  /** What later tokens can be had with, where the server gives one and it was asked for. */
  readonly refreshToken?: string | undefined;
}

export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
  /** Asks for a refresh token too, which a login keeps in place of the password. */
  readonly offline?: boolean | undefined;
}

const bodyLimit = 1024 * 1024;
const shortestLife = 60_000;
const renewEarly = 5_000;
const clientId = 'slipway';

/** Statuses by which a token server says that it does not speak this form of the protocol. */
const otherForm = new Set([404, 405, 501]);

/**
 * Gets a token from a token server: by GET with Basic or no credential (distribution, docs/spec/auth/token.md), by a
 * POST with the refresh token where the credential is an identity token (docs/spec/auth/oauth.md). A server that only knows the other
 * form is asked in that one.
 * @throws RegistryError UNAUTHORIZED, BAD_RESPONSE and those of `dispatch`
 */
export async function requestToken(request: TokenRequest, dispatch: Dispatch, clock: Clock): Promise<Token> {
  const { credential, realm } = request;
  const asked = clock.now();
  const [usual, other] = formsOf(request, credential);
  let response = await dispatch(usual);
  if (other !== undefined && otherForm.has(response.status)) {
    await discard(response);
    response = await dispatch(other);
  }
  if (response.status !== 200) {
    throw await errorFromResponse(response, { action: `get a token from ${redactUrl(realm)}`, host: realm.host });
  }
  return readToken(response, realm, asked);
}

/** The request as it should be, and as it might be understood otherwise. */
function formsOf(
  request: TokenRequest,
  credential: Credential | undefined,
): readonly [HttpRequest, HttpRequest | undefined] {
  if (credential?.kind === 'identity-token') {
    const asPassword: Credential = { kind: 'basic', username: '<token>', password: credential.token };
    return [
      postRequest(request, { grant_type: 'refresh_token', refresh_token: credential.token }),
      getRequest({ ...request, credential: asPassword }),
    ];
  }
  if (credential?.kind !== 'basic') return [getRequest(request), undefined];
  const { username, password } = credential;
  return [getRequest(request), postRequest(request, { grant_type: 'password', username, password })];
}

function getRequest({ realm, service, scopes, credential, offline }: TokenRequest): HttpRequest {
  const url = new URL(realm);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (service !== undefined) url.searchParams.set('service', service);
  if (credential?.kind !== 'basic') return { method: 'GET', url, headers: { accept: 'application/json' } };
  url.searchParams.set('account', credential.username);
  if (offline === true) {
    url.searchParams.set('client_id', clientId);
    url.searchParams.set('offline_token', 'true');
  }
  const authorization = basicAuthorization(credential);
  return { method: 'GET', url, headers: { accept: 'application/json', authorization } };
}

function postRequest(
  { realm, service, scopes, offline }: TokenRequest,
  grant: Readonly<Record<string, string>>,
): HttpRequest {
  const form = new URLSearchParams({ ...grant, client_id: clientId, scope: scopes.join(' ') });
  if (service !== undefined) form.set('service', service);
  if (offline === true) form.set('access_type', 'offline');
  return {
    method: 'POST',
    url: realm,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  };
}

async function readToken(response: HttpResponse, realm: URL, asked: number): Promise<Token> {
  const body = await readAll(response.body, bodyLimit);
  const bad = (what: string): RegistryError =>
    new RegistryError('BAD_RESPONSE', `the token server ${redactUrl(realm)} answered ${what}`);
  let document: unknown;
  try {
    document = JSON.parse(body.toString('utf8'));
  } catch {
    // not as the cause: JSON's message quotes the text, which may hold the token
    throw bad('something that is not JSON');
  }
  const fields = isRecord(document) ? document : {};
  const value = [fields.token, fields.access_token].find((text) => typeof text === 'string' && text !== '');
  if (typeof value !== 'string') throw bad('without a token');
  // a line break in a token would let the token server write headers of its own
  if (!/^[\x21-\x7e]+$/.test(value)) throw bad('with a token that no header can carry');
  rememberSecret(value);
  const refresh = fields.refresh_token;
  const refreshToken = typeof refresh === 'string' && /^[\x21-\x7e]+$/.test(refresh) ? refresh : undefined;
  if (refreshToken !== undefined) rememberSecret(refreshToken);
  const seconds = typeof fields.expires_in === 'number' && Number.isFinite(fields.expires_in) ? fields.expires_in : 60;
  return { value, refreshToken, renewAt: asked + Math.max(shortestLife, seconds * 1000) - renewEarly };
}
