import { RegistryError } from '../error.ts';
import { redactUrl } from '../redact.ts';
import { discard } from './body.ts';
import { header, type HttpRequest, type HttpResponse, type Layer } from './dispatch.ts';

const statuses = new Set([301, 302, 303, 307, 308]);
const usualHops = 5;

/** What another origin may see of a request; everything else could be a credential (oras GHSA-h3wm-jjqf-8jm2). */
const harmlessHeaders = new Set(['accept', 'accept-encoding', 'range', 'user-agent', 'content-type', 'content-range']);

export interface RedirectOptions {
  /** `refuse` for requests whose body is itself a secret, such as a refresh token. */
  readonly otherOrigin: 'without-credentials' | 'refuse';
  /** 5 unless given. */
  readonly mostHops?: number | undefined;
}

/**
 * Follows redirects by hand, never from https to http. An origin is scheme, host and port: a redirect to
 * another port of the same host is another origin and gets no credentials (skopeo and regctl leak there).
 */
export function redirect(options: RedirectOptions = { otherOrigin: 'without-credentials' }): Layer {
  const { mostHops = usualHops } = options;
  return (next) => async (request) => {
    let current = request;
    let isAgain = false;
    for (let hops = 0; ; hops++) {
      const response = await next(current);
      const location = statuses.has(response.status) ? header(response, 'location') : undefined;
      if (location === undefined) {
        if (isAgain || !hasExpired(request, current, response)) return response;
        await discard(response);
        current = request;
        isAgain = true;
        continue;
      }
      await discard(response);
      if (hops === mostHops) {
        throw refused(request.url, `more than ${mostHops} redirects`, response);
      }
      current = follow(current, response, location, options);
    }
  };
}

/** What object stores say to a signed address whose time is over; the registry gives a new one to who asks again. */
const expiredStatuses = new Set([400, 401, 403, 410]);

function hasExpired(request: HttpRequest, current: HttpRequest, response: HttpResponse): boolean {
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  return isReading && current.url.origin !== request.url.origin && expiredStatuses.has(response.status);
}

function follow(request: HttpRequest, response: HttpResponse, location: string, options: RedirectOptions): HttpRequest {
  const url = URL.parse(location, request.url.href);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw refused(request.url, 'the address of the redirect is not an http URL', response);
  }
  if (request.url.protocol === 'https:' && url.protocol === 'http:') {
    throw refused(request.url, `it leads from https to plain http at ${redactUrl(url)}`, response);
  }
  url.username = '';
  url.password = '';
  if (request.method !== 'GET' && request.method !== 'HEAD' && response.status !== 307 && response.status !== 308) {
    throw refused(request.url, `status ${response.status} would turn a ${request.method} into a GET`, response);
  }
  if (url.origin === request.url.origin) return { ...request, url };
  if (options.otherOrigin === 'refuse') {
    throw refused(request.url, `it leads to another origin, ${url.origin}`, response);
  }
  const headers = Object.entries(request.headers ?? {}).filter(([name]) => harmlessHeaders.has(name));
  return { ...request, url, headers: Object.fromEntries(headers) };
}

function refused(url: URL, why: string, response: HttpResponse): RegistryError {
  return new RegistryError('REDIRECT_REFUSED', `redirect from ${redactUrl(url)} not followed: ${why}`, {
    status: response.status,
  });
}
