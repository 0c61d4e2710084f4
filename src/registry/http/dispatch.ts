import type { Readable } from 'node:stream';
import type { Reach } from './reach.ts';

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';

/** A body that is read while it is sent, from wherever it is; opened anew for each time it is sent. */
export interface StreamBody {
  /** Bytes. */
  readonly length: number;
  open(): AsyncIterable<Uint8Array>;
}

/** One request of the distribution protocol; a body is in memory or opened anew, so that every layer may send it again. */
export interface HttpRequest {
  readonly method: Method;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | StreamBody;
  /** What a token must allow, such as `repository:library/debian:pull`. */
  readonly scopes?: readonly string[];
  /** How often to try in all; the retry layer's own number unless given. 1 where the caller repeats by itself. */
  readonly attempts?: number;
  /** How the host is reached; as any host on the net unless given. */
  readonly reach?: Reach | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Readable;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** The mirror that it came from; undefined where it is the registry's own. */
  readonly source?: Source | undefined;
}

/** A mirror behind an answer; told what was wrong with that, so that the next answer comes from elsewhere. */
export interface Source {
  /** The connection broke or stood still: the mirror is passed over for a while. */
  failed(): void;
  /** What came is not what was asked for, by tag or digest: the mirror is not asked for that any more. */
  lied(reference: string): void;
}

/** Sends a request. Whoever gets the response reads, drains or destroys its body. */
export type Dispatch = (request: HttpRequest) => Promise<HttpResponse>;

/** One behaviour wrapped around a dispatch: retry, redirect, authentication, redaction. */
export type Layer = (next: Dispatch) => Dispatch;

/** Wraps `transport` in `layers`, the innermost first. */
export function compose(transport: Dispatch, layers: readonly Layer[]): Dispatch {
  return layers.reduce((inner, layer) => layer(inner), transport);
}

export function isStreamBody(body: HttpRequest['body']): body is StreamBody {
  return body !== undefined && 'open' in body;
}

/** The first value of a header. */
export function header(response: HttpResponse, name: string): string | undefined {
  return headerValues(response, name)[0];
}

export function headerValues(response: HttpResponse, name: string): readonly string[] {
  const value = response.headers[name];
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}
