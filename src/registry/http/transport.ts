import { Readable } from 'node:stream';
import { RegistryError } from '../error.ts';
import type { AddressRule } from '../config/resolve-rules.ts';
import { Agents, connectionsPerHost } from './agents.ts';
import type { Clock } from './clock.ts';
import { type Dispatch, type HttpRequest, type HttpResponse, isStreamBody } from './dispatch.ts';
import { isUnknownAuthority } from './network-error.ts';
import { proxyError } from './proxy-error.ts';
import { pace, paced, RateLimit } from './rate-limit.ts';

export interface TransportOptions {
  /** Other addresses for hosts; where their names lead unless given. */
  readonly addresses?: readonly AddressRule[] | undefined;
  /** Where proxies and roots of trust are named; this process's environment unless given. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined;
  /** Milliseconds; 10 s to connect, 60 s for headers, 30 s without a byte of a body in either direction unless given. */
  readonly connectTimeout?: number | undefined;
  readonly headersTimeout?: number | undefined;
  readonly stallTimeout?: number | undefined;
  /** Connections to one host; 8 unless given. */
  readonly connections?: number | undefined;
  /** Bytes a second of all bodies together, in both directions; as fast as it goes unless given. */
  readonly limitRate?: number | undefined;
  readonly clock?: Clock | undefined;
  /** The machine's own authorities; what its OpenSSL trusts unless given. */
  readonly systemRoots?: (() => readonly string[]) | undefined;
}

export interface Transport {
  readonly dispatch: Dispatch;
  close(): Promise<void>;
}

/** A large body goes out in such pieces, so that time is counted from the last piece taken and not from the first; bytes. */
const slice = 64 * 1024;

/**
 * The innermost dispatch: one request through undici, no redirects, no retries, no decoding of bodies. undici costs
 * 60 ms to import, so that happens with the first request. HTTP/1.1 only: several connections carry bulk as fast as
 * HTTP/2 and one stalled stream does not hold up the others.
 */
export function openTransport(options: TransportOptions = {}): Transport {
  const stallTimeout = options.stallTimeout ?? 30_000;
  const limit = options.limitRate === undefined ? undefined : new RateLimit(options.limitRate, options.clock);
  let opening: Promise<{ readonly undici: typeof import('undici'); readonly agents: Agents }> | undefined;
  const dispatch: Dispatch = async (request) => {
    opening ??= openAgents(options, stallTimeout);
    const { undici, agents } = await opening;
    request.signal?.throwIfAborted();
    const { trustsSystem } = agents;
    try {
      return await send(undici, agents, request);
    } catch (error) {
      // no byte of the request went out: the handshake comes first
      if (trustsSystem || !isUnknownAuthority(error) || !agents.trustSystem()) throw error;
      return send(undici, agents, request);
    }
  };
  const send = async (undici: typeof import('undici'), agents: Agents, request: HttpRequest): Promise<HttpResponse> => {
    const { dispatcher, proxy } = agents.path(request.url, request.reach);
    const { body } = request;
    const stall = new AbortController();
    const signals = request.signal === undefined ? stall.signal : AbortSignal.any([stall.signal, request.signal]);
    const stalled = (): void => stall.abort(new RegistryError('TIMEOUT', stallMessage(request.url, stallTimeout)));
    const sending = undici.request(request.url, {
      method: request.method,
      headers: { ...request.headers, ...(body === undefined ? {} : { 'content-length': String(body.length) }) },
      body: body === undefined ? null : bodyOf(body, { stalled, stallTimeout, limit, signal: request.signal }),
      signal: signals,
      headersTimeout: request.reach?.headersTimeout ?? options.headersTimeout ?? 60_000,
      bodyTimeout: stallTimeout,
      dispatcher,
    });
    const response = await sending.catch((error: unknown) => {
      throw proxy === undefined ? error : proxyError(error, proxy, request.url.host);
    });
    const received = limit === undefined ? response.body : paced(response.body, limit, request.signal);
    return { status: response.statusCode, headers: response.headers, body: received, url: request.url };
  };
  return {
    dispatch,
    close: async () => {
      if (opening !== undefined) await (await opening).agents.close();
    },
  };
}

async function openAgents(options: TransportOptions, stallTimeout: number) {
  const undici = await import('undici');
  const agents = new Agents(undici, {
    connectTimeout: options.connectTimeout ?? 10_000,
    headersTimeout: options.headersTimeout ?? 60_000,
    bodyTimeout: stallTimeout,
    connections: options.connections ?? connectionsPerHost,
    addresses: options.addresses,
    variables: options.variables,
    systemRoots: options.systemRoots,
  });
  return { undici, agents };
}

interface Sending {
  readonly stalled: () => void;
  readonly stallTimeout: number;
  readonly limit: RateLimit | undefined;
  readonly signal: AbortSignal | undefined;
}

function bodyOf(body: NonNullable<HttpRequest['body']>, sending: Sending): Buffer | Readable {
  const { stalled, stallTimeout, limit, signal } = sending;
  const stream = (chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Readable => {
    const passing = limit === undefined ? chunks : pace(chunks, limit, signal);
    return Readable.from(inSlices(passing, stalled, stallTimeout), { objectMode: false });
  };
  if (isStreamBody(body)) return stream(body.open());
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return bytes.length <= slice ? bytes : stream([bytes]);
}

async function* inSlices(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  stalled: () => void,
  timeout: number,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of chunks) {
    for (let at = 0; at < bytes.length; at += slice) {
      // undici asks for the next piece when the socket has taken this one
      const timer = setTimeout(stalled, timeout);
      try {
        yield bytes.subarray(at, at + slice);
      } finally {
        clearTimeout(timer);
      }
    }
  }
}

function stallMessage(url: URL, timeout: number): string {
  return `${url.host} took no byte of the upload for ${timeout / 1000} s`;
}
