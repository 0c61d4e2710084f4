import { createServer, type IncomingMessage, type Server as PlainServer, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../../errors.ts';
import { RegistryError } from '../error.ts';

/** What a server shows of itself to clients, and what it wants of them. PEM. */
export interface ServerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Given, clients need a certificate that one of these has signed. */
  readonly clientCa?: Buffer | undefined;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: ServerTls | undefined;
  /** Milliseconds without a byte after which a connection is given up, either way. */
  readonly stallTimeout: number;
  /** Milliseconds that requests in work get when it stops. */
  readonly closeTimeout: number;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
}

/** A port that hears HTTP/1.1, and over TLS HTTP/2 too (by ALPN). */
export interface Listener {
  readonly server: PlainServer | Http2SecureServer;
  /** Binds the port; gives the host and port as URLs have them. @throws RegistryError NETWORK */
  listen(): Promise<string>;
  /** New connections get the new certificate. @throws RegistryError CONFIG */
  renew(tls: ServerTls): void;
  stop(): Promise<void>;
}

/** Bytes of all headers of a request together; tokens are the longest. */
const largestHeaders = 32 * 1024;
const mostStreams = 128;
/** Node hands these on to HTTP/1.1, though its types for HTTP/2 do not have them. */
const http1Options: object = { maxHeaderSize: largestHeaders, requestTimeout: 0 };

/** @throws RegistryError CONFIG where the certificate or key cannot be used */
export function openListener(options: ListenerOptions): Listener {
  return options.tls === undefined ? plainListener(options) : secureListener(options, options.tls);
}

function plainListener(options: ListenerOptions): Listener {
  const server = createServer({ requestTimeout: 0, maxHeaderSize: largestHeaders }, options.handle);
  server.on('checkContinue', options.handle);
  server.setTimeout(options.stallTimeout, (socket) => socket.destroy());
  return {
    server,
    listen: () => bind(server, options),
    renew: () => {},
    stop: () =>
      stop(server, options.closeTimeout, {
        begin: () => server.closeIdleConnections(),
        force: () => server.closeAllConnections(),
      }),
  };
}

function secureListener(options: ListenerOptions, tls: ServerTls): Listener {
  const sessions = new Set<ServerHttp2Session>();
  const server = readable(() =>
    createSecureServer({
      ...secureContext(tls),
      allowHTTP1: true,
      ...http1Options,
      // HTTP/2 counts 32 bytes for each field beside its text; the default limits one session's memory to 10 MB.
      settings: { maxHeaderListSize: largestHeaders, maxConcurrentStreams: mostStreams },
      handshakeTimeout: 10_000,
      requestCert: tls.clientCa !== undefined,
      rejectUnauthorized: true,
    }),
  );
  // Its type names Http2ServerRequest alone; over HTTP/1.1 it is IncomingMessage, and we use what both have.
  const handle = (request: unknown, response: unknown): void =>
    options.handle(request as IncomingMessage, response as ServerResponse);
  server.on('request', handle);
  server.on('checkContinue', handle);
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
    session.setTimeout(options.stallTimeout, () => session.destroy());
  });
  const http1 = server as Http2SecureServer &
    Partial<Pick<PlainServer, 'closeAllConnections' | 'closeIdleConnections'>>;
  return {
    server,
    listen: () => bind(server, options),
    renew: (renewed) => readable(() => server.setSecureContext(secureContext(renewed))),
    stop: () =>
      stop(server, options.closeTimeout, {
        begin: () => {
          for (const session of sessions) session.close();
          http1.closeIdleConnections?.();
        },
        force: () => {
          for (const session of sessions) session.destroy();
          http1.closeAllConnections?.();
        },
      }),
  };
}

function secureContext({ cert, key, clientCa }: ServerTls) {
  return { cert, key, minVersion: 'TLSv1.2' as const, ...(clientCa === undefined ? {} : { ca: clientCa }) };
}

function readable<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new RegistryError('CONFIG', `the certificate or its key cannot be used: ${messageOf(error)}`, {
      hint: 'Both are PEM, the key without a passphrase, and belong together.',
    });
  }
}

async function bind(server: PlainServer | Http2SecureServer, { host, port }: ListenerOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port }, resolve);
  try {
    await promise;
  } catch (error) {
    throw new RegistryError('NETWORK', `cannot listen on ${host}:${port}: ${messageOf(error)}`, { cause: error });
  }
  server.off('error', reject);
  const { port: actual } = server.address() as AddressInfo;
  return `${host.includes(':') ? `[${host}]` : host}:${actual}`;
}

interface Ending {
  /** Ends what nobody waits for. */
  readonly begin: () => void;
  readonly force: () => void;
}

async function stop(server: PlainServer | Http2SecureServer, limit: number, { begin, force }: Ending): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  begin();
  const timer = setTimeout(force, limit);
  await promise;
  clearTimeout(timer);
}
