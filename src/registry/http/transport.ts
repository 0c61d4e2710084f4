import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { RegistryError } from '../error.ts';
import { isLoopback } from '../host.ts';
import { type Dispatch, type HttpRequest, isStreamBody } from './dispatch.ts';

export interface TransportOptions {
  /** Certificates trusted instead of Node's own list; PEM. */
  readonly ca?: string | undefined;
  /** Milliseconds; 10 s to connect, 60 s for headers, 30 s without a byte of a body in either direction unless given. */
  readonly connectTimeout?: number | undefined;
  readonly headersTimeout?: number | undefined;
  readonly stallTimeout?: number | undefined;
}

export interface Transport {
  readonly dispatch: Dispatch;
  close(): Promise<void>;
}

/** A large body goes out in such pieces, so that time is counted from the last piece taken and not from the first; bytes. */
const slice = 64 * 1024;
export const connectionsPerHost = 8;

/**
 * The innermost dispatch: one request through undici, no redirects, no retries, no decoding of bodies. undici costs
 * 60 ms to import, so that happens with the first request. HTTP/1.1 only: several connections carry bulk as fast as
 * HTTP/2 and one stalled stream does not hold up the others.
 */
export function openTransport(options: TransportOptions = {}): Transport {
  const stallTimeout = options.stallTimeout ?? 30_000;
  let agents: Promise<Agents> | undefined;
  const dispatch: Dispatch = async (request) => {
    agents ??= openAgents(options, stallTimeout);
    const { undici, direct, outside } = await agents;
    request.signal?.throwIfAborted();
    const { body } = request;
    const stall = new AbortController();
    const signals = request.signal === undefined ? stall.signal : AbortSignal.any([stall.signal, request.signal]);
    const stalled = (): void => stall.abort(new RegistryError('TIMEOUT', stallMessage(request.url, stallTimeout)));
    const response = await undici.request(request.url, {
      method: request.method,
      headers: { ...request.headers, ...(body === undefined ? {} : { 'content-length': String(body.length) }) },
      body: body === undefined ? null : bodyOf(body, stalled, stallTimeout),
      signal: signals,
      dispatcher: isLoopback(request.url.hostname) ? direct : outside,
    });
    return { status: response.statusCode, headers: response.headers, body: response.body, url: request.url };
  };
  return {
    dispatch,
    close: async () => {
      if (agents === undefined) return;
      const { direct, outside } = await agents;
      await Promise.all([direct.destroy(), outside.destroy()]);
    },
  };
}

interface Agents {
  readonly undici: typeof import('undici');
  readonly direct: Dispatcher;
  /** Through HTTP_PROXY, HTTPS_PROXY and NO_PROXY where they are set. */
  readonly outside: Dispatcher;
}

async function openAgents(options: TransportOptions, stallTimeout: number): Promise<Agents> {
  const undici = await import('undici');
  const settings = {
    connect: { timeout: options.connectTimeout ?? 10_000, ...(options.ca === undefined ? {} : { ca: options.ca }) },
    headersTimeout: options.headersTimeout ?? 60_000,
    bodyTimeout: stallTimeout,
    connections: connectionsPerHost,
    allowH2: false,
  };
  const proxied = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => process.env[name]);
  const direct = new undici.Agent(settings);
  return { undici, direct, outside: proxied ? new undici.EnvHttpProxyAgent(settings) : direct };
}

function bodyOf(body: NonNullable<HttpRequest['body']>, stalled: () => void, timeout: number): Buffer | Readable {
  if (isStreamBody(body)) return Readable.from(inSlices(body.open(), stalled, timeout), { objectMode: false });
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return bytes.length <= slice ? bytes : Readable.from(inSlices([bytes], stalled, timeout), { objectMode: false });
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
