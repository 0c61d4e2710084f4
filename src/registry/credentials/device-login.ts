import { type RegistrySession, sharedSession } from '../client/session.ts';
import { RegistryError } from '../error.ts';
import { readAll } from '../http/body.ts';
import { compose, type Dispatch, type HttpResponse } from '../http/dispatch.ts';
import { redaction } from '../http/redaction.ts';
import { redirect } from '../http/redirect.ts';
import { isRecord } from '../record.ts';
import { type BasicCredential, guarded } from './credential.ts';
import { rememberSecret } from '../redact.ts';

/** The services that a login in the browser goes through. */
export interface DeviceService {
  /** OAuth 2.0 device authorization (RFC 8628). */
  readonly tenant: string;
  /** Whom the token is for, and who makes an access token for machines of it. */
  readonly audience: string;
  /** A public client: no secret belongs to it. */
  readonly clientId: string;
}

/** Docker Hub's, as docker logs in to it. */
export const hubDeviceService: DeviceService = {
  tenant: 'https://login.docker.com',
  audience: 'https://hub.docker.com',
  clientId: 'L4v0dmlNBpYUjGGab0C2JtgTgXr1Qz4d',
};

export interface DeviceLoginOptions {
  readonly service?: DeviceService | undefined;
  readonly session?: RegistrySession | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A login that a person is to confirm in a browser. */
export interface DeviceLogin {
  readonly userCode: string;
  /** Where the code is to be typed. */
  readonly url: string;
  /**
   * Waits until the person has confirmed, and gets a personal access token for this machine.
   * @throws RegistryError UNAUTHORIZED where it was refused or nobody came, BAD_RESPONSE
   */
  finish(): Promise<BasicCredential>;
}

const bodyLimit = 1024 * 1024;
const scope = 'openid offline_access';
const grantType = 'urn:ietf:params:oauth:grant-type:device_code';
/** Where Docker's tokens carry the user's name. */
const userClaim = 'https://hub.docker.com';
/** RFC 8628 §3.5. */
const slowDown = 5;
const [shortestInterval, longestInterval, longestLife] = [1, 60, 30 * 60];

/**
 * Begins a login in the browser.
 * @throws RegistryError where the service does not offer it; the caller then asks for a password
 */
export async function beginDeviceLogin(options: DeviceLoginOptions = {}): Promise<DeviceLogin> {
  const { service = hubDeviceService, signal } = options;
  const { dispatch, clock } = options.session ?? sharedSession();
  const send = compose(dispatch, [redirect({ otherOrigin: 'refuse' }), redaction({ clock })]);
  const form = { client_id: service.clientId, audience: service.audience, scope };
  const answer = await post(send, new URL('/oauth/device/code', service.tenant), form, signal);
  const code = text(answer.fields['device_code']);
  const userCode = text(answer.fields['user_code']);
  const url = text(answer.fields['verification_uri_complete']) || text(answer.fields['verification_uri']);
  if (
    answer.status !== 200 ||
    code === '' ||
    !/^[\w-]{1,40}$/.test(userCode) ||
    !/^https?:\/\/[\x21-\x7e]{1,500}$/.test(url)
  ) {
    throw new RegistryError('BAD_RESPONSE', `${service.tenant} does not offer a login in the browser`);
  }
  rememberSecret(code);
  const seconds = (value: unknown, least: number, most: number, otherwise: number): number =>
    typeof value === 'number' && Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : otherwise;
  const until = clock.now() + seconds(answer.fields['expires_in'], 1, longestLife, 15 * 60) * 1000;
  let interval = seconds(answer.fields['interval'], shortestInterval, longestInterval, slowDown);
  return {
    userCode,
    url,
    finish: async () => {
      const poll = { client_id: service.clientId, grant_type: grantType, device_code: code };
      for (;;) {
        await clock.sleep(interval * 1000, signal);
        if (clock.now() > until) throw refused('nobody confirmed the code in time');
        const { fields } = await post(send, new URL('/oauth/token', service.tenant), poll, signal);
        const token = text(fields['access_token']);
        if (token !== '') return personalToken(send, service, token, signal);
        const error = text(fields['error']);
        if (error === 'slow_down') interval = Math.min(longestInterval, interval + slowDown);
        else if (error !== 'authorization_pending') throw refused(text(fields['error_description']) || error);
      }
    },
  };
}

function refused(why: string): RegistryError {
  const reason = why === '' ? 'the service gave no reason' : why.slice(0, 300);
  return new RegistryError('UNAUTHORIZED', `the login in the browser failed: ${reason}`, {
    hint: 'Try again, or log in with --username and an access token as the password.',
  });
}

/** A token of its own for this machine, which can be revoked by itself; what the browser gave is not kept. */
async function personalToken(
  send: Dispatch,
  service: DeviceService,
  accessToken: string,
  signal: AbortSignal | undefined,
): Promise<BasicCredential> {
  rememberSecret(accessToken);
  const response = await send({
    method: 'POST',
    url: new URL('/v2/access-tokens/desktop-generate', service.audience),
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      authorization: `Bearer ${accessToken}`,
      'user-agent': 'slipway',
    },
    body: new Uint8Array(),
    attempts: 1,
    signal,
  });
  const { status, fields } = await readFields(response);
  const password = isRecord(fields['data']) ? text(fields['data']['token']) : '';
  const username = userNameIn(accessToken);
  if (status !== 201 || password === '' || username === '') {
    throw new RegistryError('BAD_RESPONSE', `${service.audience} made no access token for this machine`, { status });
  }
  return guarded({ kind: 'basic', username, password });
}

/** The claim in the middle part of a JWT. It came over TLS from the service that signed it; its signature says no more. */
function userNameIn(token: string): string {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const domain = isRecord(claims) ? claims[userClaim] : undefined;
    return isRecord(domain) ? text(domain['username']) : '';
  } catch {
    return '';
  }
}

interface Answer {
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

async function post(
  send: Dispatch,
  url: URL,
  form: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const response = await send({
    method: 'POST',
    url,
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'slipway',
    },
    body: Buffer.from(new URLSearchParams(form).toString()),
    signal,
  });
  return readFields(response);
}

async function readFields(response: HttpResponse): Promise<Answer> {
  const { status } = response;
  const body = await readAll(response.body, bodyLimit);
  try {
    const document: unknown = JSON.parse(body.toString('utf8'));
    return { status, fields: isRecord(document) ? document : {} };
  } catch {
    return { status, fields: {} };
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
