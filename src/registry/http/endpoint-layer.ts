import type { Layer } from './dispatch.ts';
import { type Reach, reachBeyond } from './reach.ts';

export interface EndpointLayerOptions {
  /** Scheme, host and port of a registry. */
  readonly origin: string;
  readonly reach: Reach;
  /** For this origin only; what a request has itself goes before them. Names in lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * Says of each request how its host is reached. It stands below the layer that follows redirects, so that headers and
 * client certificates of a registry never go to another origin, wherever the registry points.
 */
export function atEndpoint({ origin, reach, headers = {} }: EndpointLayerOptions): Layer {
  const beyond = reachBeyond(reach);
  return (next) => (request) =>
    request.url.origin === origin
      ? next({ ...request, headers: { ...headers, ...request.headers }, reach })
      : next({ ...request, reach: beyond });
}
