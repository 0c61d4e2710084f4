import type { Readable } from 'node:stream';

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';

/** One request of the distribution protocol; a body is always in memory, so that every layer may send it again. */
export interface HttpRequest {
  readonly method: Method;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** What a token must allow, such as `repository:library/debian:pull`. */
  readonly scopes?: readonly string[];
  /** How often to try in all; the retry layer's own number unless given. 1 where the caller repeats by itself. */
  readonly attempts?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Readable;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
}

/** Sends a request. Whoever gets the response reads, drains or destroys its body. */
export type Dispatch = (request: HttpRequest) => Promise<HttpResponse>;

/** One behaviour wrapped around a dispatch: retry, redirect, authentication, redaction. */
export type Layer = (next: Dispatch) => Dispatch;

/** Wraps `transport` in `layers`, the innermost first. */
export function compose(transport: Dispatch, layers: readonly Layer[]): Dispatch {
  return layers.reduce((inner, layer) => layer(inner), transport);
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
