import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Endpoint } from './endpoints.ts';

/** One request on its way through the layers of the server. */
export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Without the query, percent-decoded; as sent where it cannot be decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** What is asked for; undefined where there is nothing of that name. */
  readonly endpoint: Endpoint | undefined;
  /** Who asks; set by the layer that knows. */
  user?: string | undefined;
  /** Whether who asks may do something elsewhere too, such as mount from another repository; everything, unless a layer says so. */
  may?: ((action: 'pull' | 'push' | 'delete', repository: string) => boolean) | undefined;
}

/**
 * Answers a visit, or lets `next` do so, or something of both. What it throws becomes an error answer: a ProtocolError as
 * it says, anything else as a 500 that tells nothing.
 */
export type ServerLayer = (visit: Visit, next: () => Promise<void>) => Promise<void>;

/** The layers as one, the first outermost; `last` answers what all let through. */
export function stack(
  layers: readonly ServerLayer[],
  last: (visit: Visit) => Promise<void>,
): (visit: Visit) => Promise<void> {
  return layers.reduceRight<(visit: Visit) => Promise<void>>(
    (inner, layer) => (visit) => layer(visit, () => inner(visit)),
    last,
  );
}
