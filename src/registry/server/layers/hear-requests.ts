import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RouteName } from '../endpoints.ts';
import type { ServerLayer } from '../pipeline.ts';

/** One request, once it is answered or given up. */
export interface ServedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** As it was sent, with the query. */
  readonly url: string;
  readonly httpVersion: string;
  /** Undefined where there is nothing of that name. */
  readonly route: RouteName | undefined;
  /** Empty where it is about none. */
  readonly repository: string;
  readonly status: number;
  /** The answer was not sent to its end. */
  readonly aborted: boolean;
  readonly start: Date;
  readonly milliseconds: number;
  /** Of bodies, as far as they came. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly remoteAddress: string;
  readonly user: string | undefined;
  readonly userAgent: string;
}

export interface RequestListeners {
  readonly onStart: () => void;
  readonly onEnd: (served: ServedRequest) => void;
}

/** Tells of requests as they begin and when their answer has left. */
export function hearRequests({ onStart, onEnd }: RequestListeners): ServerLayer {
  return async (visit, next) => {
    const { request, response, path, endpoint } = visit;
    const begun = performance.now();
    const start = new Date();
    const { socket } = request;
    const [read, written, remoteAddress] = [socket.bytesRead, socket.bytesWritten, socket.remoteAddress ?? ''];
    onStart();
    response.once('close', () => {
      const aborted = wasAborted(response);
      onEnd({
        method: request.method ?? '',
        path,
        url: request.url ?? '',
        httpVersion: request.httpVersion,
        route: endpoint?.route,
        repository: endpoint?.name ?? '',
        status: response.statusCode,
        aborted,
        start,
        milliseconds: performance.now() - begun,
        bytesIn: request.complete ? lengthOf(request, socket.bytesRead - read) : socket.bytesRead - read,
        bytesOut: aborted ? socket.bytesWritten - written : sentLength(request, response),
        remoteAddress,
        user: visit.user,
        userAgent: request.headers['user-agent'] ?? '',
      });
    });
    await next();
  };
}

/** HTTP/2's responses tell it by their stream, and do not know `writableFinished`. */
function wasAborted(response: ServerResponse): boolean {
  const { stream } = response as ServerResponse & { readonly stream?: { readonly aborted: boolean } };
  return stream?.aborted ?? !response.writableFinished;
}

/** By the header; what a connection carried in that time where a body had none. */
function lengthOf({ headers }: IncomingMessage, carried: number): number {
  if (headers['content-length'] !== undefined) return Number(headers['content-length']);
  return headers['transfer-encoding'] === undefined ? 0 : carried;
}

function sentLength({ method }: IncomingMessage, response: ServerResponse): number {
  return method === 'HEAD' ? 0 : Number(response.getHeader('content-length') ?? 0);
}
