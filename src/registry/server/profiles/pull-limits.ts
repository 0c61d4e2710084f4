import { isIPv6 } from 'node:net';
import type { ServerLayer, Visit } from '../pipeline.ts';
import { ProtocolError } from '../protocol-error.ts';
import type { HubProfileOptions } from './profile.ts';

const usualLimit = 100;
/** Seconds. */
const pullWindow = 6 * 3600;
const requestWindow = 60;
/** Users and addresses that are counted at once. */
const mostCounted = 10_000;

interface Count {
  readonly ends: number;
  used: number;
}

/** How often somebody did something in a span of time that begins with the first of it. */
class Counter {
  readonly #counts = new Map<string, Count>();
  readonly #window: number;

  /** @param window seconds */
  constructor(window: number) {
    this.#window = window;
  }

  of(key: string, now: number): Count {
    const known = this.#counts.get(key);
    if (known !== undefined && known.ends > now) return known;
    if (this.#counts.size >= mostCounted) this.#counts.clear();
    const fresh = { ends: now + this.#window * 1000, used: 0 };
    this.#counts.set(key, fresh);
    return fresh;
  }
}

/**
 * Docker Hub's two limits. Pulls: a GET of a manifest counts, a HEAD only tells what is left; beyond it is 429 with the
 * registry's JSON. Requests of an address: beyond it is 429 with a line of text and no JSON at all.
 */
export function limitPulls({ pullLimit = usualLimit, requestLimit, now = Date.now }: HubProfileOptions): ServerLayer {
  const pulls = new Counter(pullWindow);
  const requests = new Counter(requestWindow);
  return async (visit, next) => {
    const time = now();
    const address = networkOf(visit.request.socket.remoteAddress ?? '');
    if (requestLimit !== undefined) {
      const count = requests.of(address, time);
      count.used += 1;
      if (count.used > requestLimit) return refuseBluntly(visit, (count.ends - time) / 1000);
    }
    if (visit.endpoint?.route === 'manifest' && visit.endpoint.action === 'pull') {
      const limit = visit.user === undefined ? pullLimit : pullLimit * 2;
      const count = pulls.of(visit.user === undefined ? address : `user ${visit.user}`, time);
      countPull(visit, { limit, count, source: visit.user ?? address });
    }
    return next();
  };
}

interface PullCount {
  readonly limit: number;
  readonly count: Count;
  readonly source: string;
}

function countPull({ request, response, user }: Visit, { limit, count, source }: PullCount): void {
  const isOver = request.method === 'GET' && count.used >= limit;
  if (request.method === 'GET' && !isOver) count.used += 1;
  response.setHeader('ratelimit-limit', `${limit};w=${pullWindow}`);
  response.setHeader('ratelimit-remaining', `${limit - count.used};w=${pullWindow}`);
  response.setHeader('docker-ratelimit-source', source);
  if (!isOver) return;
  const kind = user === undefined ? 'unauthenticated pull' : 'pull';
  throw new ProtocolError(
    'TOOMANYREQUESTS',
    `You have reached your ${kind} rate limit. https://www.docker.com/increase-rate-limit`,
  );
}

function refuseBluntly({ response, request }: Visit, seconds: number): void {
  const body = 'Too Many Requests\n';
  response.writeHead(429, {
    'content-type': 'text/plain',
    'content-length': body.length,
    'retry-after': `${Math.ceil(seconds)}`,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** An IPv6 network of 64 bits counts as one. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address.replace(/^::ffff:/, '');
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const full = [...groups, ...Array.from({ length: 8 - groups.length - rest.length }, () => '0'), ...rest];
  return `${full.slice(0, 4).join(':')}::/64`;
}
