import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../../errors.ts';
import type { RequestFilter, RequestListener } from './faults/index.ts';
import { endpointOf } from './endpoints.ts';
import { answerErrors } from './layers/answer-errors.ts';
import { hearRequests, type ServedRequest } from './layers/hear-requests.ts';
import { obeyRules } from './layers/obey-rules.ts';
import { openListener, type ServerTls } from './listener.ts';
import { Metrics } from './metrics.ts';
import { type ServerLayer, stack, type Visit } from './pipeline.ts';
import { Quotas, type QuotaSettings } from './quotas.ts';
import { answerRoute, type RegistryService } from './routes.ts';
import { completeRules, type RegistryRules } from './rules.ts';
import type { RegistryStorage } from './storage/storage.ts';
import { type UploadLimits, UploadSessions } from './upload-sessions.ts';

export interface RegistryServerOptions extends UploadLimits, RegistryRules, QuotaSettings {
  readonly storage: RegistryStorage;
  /** What stands between the log and the registry itself, the first outermost: who may do what, other services' ways, faults. */
  readonly layers?: readonly ServerLayer[] | undefined;
  /** Address to listen on; 127.0.0.1 unless given, since there is no login. */
  readonly host?: string | undefined;
  /** 0, a free port, unless given. */
  readonly port?: number | undefined;
  /** Given, it speaks https, with HTTP/2 where the client can. */
  readonly tls?: ServerTls | undefined;
  /** Milliseconds that requests in work have to end when the server closes; 5,000 unless given. */
  readonly drainTimeout?: number | undefined;
  /** Hears of each request once it is answered. */
  readonly onRequest?: ((event: ServedRequest) => void) | undefined;
  /** Hears of what went wrong in the server itself. */
  readonly onError?: ((message: string) => void) | undefined;
  /** Stands before all: faults on purpose. */
  readonly faults?: RequestFilter | undefined;
}

export interface RegistryServer extends AsyncDisposable {
  /** `http://127.0.0.1:5000`, or https. */
  readonly url: string;
  /** `127.0.0.1:5000`, as in an image's name. */
  readonly host: string;
  /** Shows another certificate to new connections; nothing where it speaks plain http. @throws RegistryError CONFIG */
  renewTls(tls: ServerTls): void;
  /** Lets requests in work end, for as long as `drainTimeout` says; uploads that a storage on disk has can go on with the next server. */
  close(): Promise<void>;
}

/** Milliseconds without a byte after which a connection is given up, either way. */
const stallTimeout = 60_000;
const longestInterval = 10 * 60_000;
/** Milliseconds for which a file of another server is not taken for abandoned, whatever the settings say. */
const shortestAge = 10 * 60_000;

/**
 * Serves a registry (distribution-spec 1.1: pull, push, discovery, deletion).
 * @throws RegistryError NETWORK where it cannot listen, CONFIG where its certificate cannot be used
 */
export async function startRegistry(options: RegistryServerOptions): Promise<RegistryServer> {
  const rules = completeRules(options);
  const uploads = new UploadSessions(options.storage, options);
  const quotas = new Quotas(options.storage, { ...options, pending: (name) => uploads.pending(name) });
  const metrics = new Metrics();
  const service: RegistryService = { storage: options.storage, uploads, rules, quotas, metrics };
  const listeners = hearRequests({
    onStart: () => metrics.begin(),
    onEnd: (served) => {
      metrics.end(served);
      options.onRequest?.(served);
    },
  });
  const layers = [listeners, answerErrors(options.onError), ...(options.layers ?? []), obeyRules(rules)];
  const answer = stack(layers, (visit) => answerRoute(service, visit));
  const handle: RequestListener = (request, response) => void answer(visitOf(request, response));
  const listener = openListener({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    tls: options.tls,
    stallTimeout,
    closeTimeout: options.drainTimeout ?? 5_000,
    handle: options.faults?.filter(handle) ?? handle,
  });
  options.faults?.attach(listener.server);
  const sweeper = await sweepUploads(uploads, options);
  const host = await listener.listen();
  const close = async (): Promise<void> => {
    options.faults?.release();
    clearInterval(sweeper);
    await listener.stop();
    await uploads.close();
    await options.storage.settle();
  };
  const url = `${options.tls === undefined ? 'http' : 'https'}://${host}`;
  return { url, host, renewTls: (tls) => listener.renew(tls), close, [Symbol.asyncDispose]: close };
}

/** Drops uploads that nobody has gone on with; what servers that were killed have left, too, and that only when it is old. */
async function sweepUploads(uploads: UploadSessions, options: RegistryServerOptions) {
  const { storage, uploadAge = 24 * 60 * 60_000, onError } = options;
  const age = Math.max(uploadAge, 2 * uploads.idleTimeout, shortestAge);
  const sweep = async (): Promise<void> => {
    try {
      await uploads.dropIdle();
      await storage.dropUploads(age);
    } catch (error) {
      onError?.(`old uploads stay: ${messageOf(error)}`);
    }
  };
  await sweep();
  return setInterval(() => void sweep(), Math.min(uploads.idleTimeout / 2, longestInterval)).unref();
}

/** `..` in a path is not resolved, since no part that passes our checks can be one. */
function visitOf(request: IncomingMessage, response: ServerResponse): Visit {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = decode(mark < 0 ? url : url.slice(0, mark));
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark));
  return { request, response, path, query, endpoint: endpointOf(request.method ?? '', path) };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
