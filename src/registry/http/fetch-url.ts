import { type RegistrySession, sharedSession } from '../client/session.ts';
import { compose, type HttpResponse } from './dispatch.ts';
import { redaction } from './redaction.ts';
import { redirect } from './redirect.ts';

export interface FetchUrlOptions {
  /** Names in lower case. What another origin must not see is not sent there on a redirect. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly session?: RegistrySession | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** As many as most clients follow. */
const mostHops = 10;

/**
 * GETs any http or https URL through the layers by which registries are spoken to: retries, redirects without credentials for
 * other origins and never from https to http, no secret in errors. Any status is an answer; whoever gets it reads or drops its body.
 * @throws RegistryError NETWORK, TLS, TIMEOUT, REDIRECT_REFUSED
 */
export function fetchUrl(url: URL, options: FetchUrlOptions = {}): Promise<HttpResponse> {
  const { dispatch, clock } = options.session ?? sharedSession();
  const send = compose(dispatch, [redirect({ otherOrigin: 'without-credentials', mostHops }), redaction({ clock })]);
  const headers = { 'user-agent': 'slipway', 'accept-encoding': 'identity', accept: '*/*', ...options.headers };
  return send({ method: 'GET', url, headers, signal: options.signal });
}
