import { basicAuthorization, type Credential } from '../credentials/credential.ts';
import { discard } from '../http/body.ts';
import { type Clock, systemClock } from '../http/clock.ts';
import {
  type Dispatch,
  type HttpRequest,
  type HttpResponse,
  headerValues,
  isStreamBody,
  type Layer,
} from '../http/dispatch.ts';
import { type Challenge, parseChallenges, pickChallenge } from './challenge.ts';
import { checkRealm } from './realm.ts';
import { scopeKey, splitScopes, unionScopes } from './scope.ts';
import { requestToken, type Token } from './token.ts';

/** What a credential is wanted for; a push must not go on without the one that the user set up. */
export type Purpose = 'pull' | 'push';

/** Hears of secrets that otherwise never leave this layer: for a login, and for who asks for a token. */
export interface AuthWatch {
  /** Given, token servers are asked for a refresh token too. */
  readonly refreshToken?: ((token: string) => void) | undefined;
  /** The value of `Authorization` of a request that was sent. */
  readonly authorization?: ((value: string) => void) | undefined;
}

export interface AuthenticateOptions {
  /** Where the registry answers; nothing else ever gets a credential or token of it. */
  readonly registry: URL;
  /** Asked at the first challenge of each purpose. */
  readonly credential: (purpose: Purpose) => Promise<Credential | undefined>;
  /** Sends requests to token servers; must refuse redirects to another origin. */
  readonly tokenDispatch: Dispatch;
  readonly trustedRealms?: readonly string[] | undefined;
  readonly clock?: Clock | undefined;
  readonly watch?: AuthWatch | undefined;
}

/**
 * Answers 401 with Basic or a bearer token and repeats the request; later requests carry what worked before. A token
 * that the registry no longer takes is renewed by force, once per request, although it seems valid (regctl and skopeo
 * fail there); requests that need the same token wait for one exchange.
 */
export function authenticate(options: AuthenticateOptions): Layer {
  const state = new AuthState(options);
  return (next) => async (request) => {
    if (request.url.origin !== options.registry.origin) return next(request);
    let sent = await state.authorizationFor(request);
    let response = await next(authorized(request, sent));
    // at most twice: once for the token, once more where the registry then names a scope that we did not ask for
    for (let round = 0; round < 2 && isOurChallenge(response, options.registry); round++) {
      const answer = await state.answer(request, response, { sent, next });
      if (answer === undefined) return response;
      // the registry may have taken a part of it: whoever sends it asks first, with the new token
      if (isStreamBody(request.body)) return response;
      await discard(response);
      sent = answer;
      options.watch?.authorization?.(answer);
      response = await next(authorized(request, sent));
    }
    return response;
  };
}

/** A 401 of a host that we were redirected to is not ours to answer. */
function isOurChallenge(response: HttpResponse, registry: URL): boolean {
  return response.status === 401 && response.url.origin === registry.origin;
}

function authorized(request: HttpRequest, authorization: string | undefined): HttpRequest {
  return authorization === undefined ? request : { ...request, headers: { ...request.headers, authorization } };
}

interface Sent {
  readonly sent: string | undefined;
  readonly next: Dispatch;
}

/** What one registry taught us about how it wants to be asked. */
class AuthState {
  readonly #options: AuthenticateOptions;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, Promise<Token>>();
  readonly #credentials = new Map<Purpose, Promise<Credential | undefined>>();
  #challenge: Challenge | undefined;

  constructor(options: AuthenticateOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** What a request can carry before it is challenged; nothing until the registry has told its scheme. */
  async authorizationFor(request: HttpRequest): Promise<string | undefined> {
    if (this.#challenge === undefined) return undefined;
    const scopes = unionScopes(request.scopes ?? []);
    if (this.#challenge.scheme === 'basic') return this.#basic(purposeOf(scopes));
    return this.#bearer(this.#challenge, { scopes, refused: undefined, signal: request.signal });
  }

  /** What to answer to a 401; undefined where nothing better is at hand. */
  async answer(request: HttpRequest, response: HttpResponse, { sent, next }: Sent): Promise<string | undefined> {
    const challenge =
      pickChallenge(parseChallenges(headerValues(response, 'www-authenticate'))) ??
      this.#challenge ??
      (await this.#challengeOfPing(next, request.signal));
    if (challenge === undefined) return undefined;
    this.#challenge = challenge;
    if (challenge.scheme === 'basic') {
      const basic = await this.#basic(purposeOf(request.scopes ?? []));
      return basic === sent ? undefined : basic;
    }
    const scopes = unionScopes(splitScopes(challenge.parameters.get('scope')), request.scopes ?? []);
    const bearer = await this.#bearer(challenge, { scopes, refused: sent, signal: request.signal });
    return bearer === sent ? undefined : bearer;
  }

  /** gcr.io answers some requests with a bare 401; its `/v2/` then tells how it wants to be asked. */
  async #challengeOfPing(next: Dispatch, signal: AbortSignal | undefined): Promise<Challenge | undefined> {
    const ping = await next({ method: 'GET', url: new URL('/v2/', this.#options.registry), signal });
    await discard(ping);
    if (!isOurChallenge(ping, this.#options.registry)) return undefined;
    return pickChallenge(parseChallenges(headerValues(ping, 'www-authenticate')));
  }

  async #basic(purpose: Purpose): Promise<string | undefined> {
    const credential = await this.#credential(purpose);
    return credential?.kind === 'basic' ? basicAuthorization(credential) : undefined;
  }

  async #bearer(challenge: Challenge, wanted: Wanted): Promise<string> {
    const credential = await this.#credential(purposeOf(wanted.scopes));
    if (credential?.kind === 'registry-token') return `Bearer ${credential.token}`;
    const token = await abortable(this.#token(challenge, credential, wanted), wanted.signal);
    return `Bearer ${token.value}`;
  }

  async #token(challenge: Challenge, credential: Credential | undefined, wanted: Wanted): Promise<Token> {
    const service = challenge.parameters.get('service');
    const realm = checkRealm({
      registry: this.#options.registry,
      realm: challenge.parameters.get('realm') ?? '',
      sendsCredential: credential !== undefined,
      trusted: this.#options.trustedRealms,
    });
    const key = [realm.href, service ?? '', scopeKey(wanted.scopes)].join('\n');
    const known = this.#tokens.get(key);
    const token = await known?.catch(() => undefined);
    const usable =
      token !== undefined && token.renewAt > this.#clock.now() && `Bearer ${token.value}` !== wanted.refused;
    if (usable) return token;
    // while we looked at the old one, another request may have begun the exchange
    const current = this.#tokens.get(key);
    if (current !== undefined && current !== known) return current;
    const exchange = requestToken(
      { realm, service, scopes: wanted.scopes, credential, offline: this.#options.watch?.refreshToken !== undefined },
      this.#options.tokenDispatch,
      this.#clock,
    );
    void exchange.then(
      ({ refreshToken }) => refreshToken !== undefined && this.#options.watch?.refreshToken?.(refreshToken),
      () => undefined,
    );
    this.#tokens.set(key, exchange);
    exchange.catch(() => {
      if (this.#tokens.get(key) === exchange) this.#tokens.delete(key);
    });
    return exchange;
  }

  #credential(purpose: Purpose): Promise<Credential | undefined> {
    const known = this.#credentials.get(purpose);
    if (known !== undefined) return known;
    const asked = this.#options.credential(purpose);
    this.#credentials.set(purpose, asked);
    return asked;
  }
}

function purposeOf(scopes: readonly string[]): Purpose {
  return scopes.some((scope) => /[:,](?:push|delete|\*)(?:,|$)/.test(scope)) ? 'push' : 'pull';
}

interface Wanted {
  readonly scopes: readonly string[];
  /** The Authorization value that was just refused. */
  readonly refused: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Waits for a shared exchange; who gives up leaves it running for the others. */
async function abortable<T>(shared: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return shared;
  // its failure is somebody's to see, and where nobody waits any more, nobody's
  shared.catch(() => {});
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([shared, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
