import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { messageOf } from '../../errors.ts';
import { RegistryError } from '../error.ts';
import { ProtocolError, sendError } from './protocol-error.ts';
import { type RegistryService, route } from './routes.ts';
import type { RegistryStorage } from './storage.ts';
import { type UploadLimits, UploadSessions } from './upload-sessions.ts';

export interface RegistryServerOptions extends UploadLimits {
  readonly storage: RegistryStorage;
  /** Address to listen on; 127.0.0.1 unless given, since there is no login. */
  readonly host?: string | undefined;
  /** 0, a free port, unless given. */
  readonly port?: number | undefined;
  /** Hears of each request once it is answered. */
  readonly onRequest?: ((event: ServedRequest) => void) | undefined;
  /** Hears of what went wrong in the server itself. */
  readonly onError?: ((message: string) => void) | undefined;
}

export interface ServedRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly milliseconds: number;
}

export interface RegistryServer extends AsyncDisposable {
  /** `http://127.0.0.1:5000`. */
  readonly url: string;
  /** `127.0.0.1:5000`, as in an image's name. */
  readonly host: string;
  /** Lets requests in work end, for 5 s at most, and drops unfinished uploads. */
  close(): Promise<void>;
}

/** Milliseconds without a byte after which a connection is given up, either way. */
const stallTimeout = 60_000;
const closeTimeout = 5_000;

/**
 * Serves a registry over plain http (distribution-spec 1.1: pull, push, discovery, deletion).
 * @throws RegistryError NETWORK where it cannot listen
 */
export async function startRegistry(options: RegistryServerOptions): Promise<RegistryServer> {
  const uploads = new UploadSessions(options.storage, options);
  const service: RegistryService = { storage: options.storage, uploads };
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    void answer(service, { request, response }, options);
  });
  server.setTimeout(stallTimeout, (socket) => socket.destroy());
  const host = await listen(server, options.host ?? '127.0.0.1', options.port ?? 0);
  const close = async (): Promise<void> => {
    await stop(server);
    await uploads.close();
  };
  return { url: `http://${host}`, host, close, [Symbol.asyncDispose]: close };
}

interface Connection {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answer(service: RegistryService, connection: Connection, options: RegistryServerOptions): Promise<void> {
  const { request, response } = connection;
  const start = Date.now();
  response.on('close', () => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const milliseconds = Date.now() - start;
    options.onRequest?.({ method: request.method ?? '', path, status: response.statusCode, milliseconds });
  });
  response.setHeader('docker-distribution-api-version', 'registry/2.0');
  try {
    await route(service, request, response);
  } catch (error) {
    fail(connection, error, options);
  }
  // what is left of a body that nobody read would be taken for the next request
  if (!request.complete) {
    request.resume();
  }
}

function fail({ request, response }: Connection, error: unknown, options: RegistryServerOptions): void {
  // the client is gone; there is nobody to tell
  if (request.destroyed && !request.complete) return;
  const known = error instanceof ProtocolError ? error : undefined;
  if (known === undefined) options.onError?.(`${request.method ?? ''} ${request.url ?? ''}: ${messageOf(error)}`);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (!request.complete) response.setHeader('connection', 'close');
  sendError(response, known ?? new ProtocolError('UNKNOWN', 'the registry failed'));
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port }, resolve);
  try {
    await promise;
  } catch (error) {
    throw new RegistryError('NETWORK', `cannot listen on ${host}:${port}: ${messageOf(error)}`, { cause: error });
  }
  server.off('error', reject);
  const address = server.address();
  const actual = address === null || typeof address === 'string' ? port : address.port;
  return `${host.includes(':') ? `[${host}]` : host}:${actual}`;
}

async function stop(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), closeTimeout);
  await promise;
  clearTimeout(timer);
}
