import type { IncomingMessage, ServerResponse } from 'node:http';
import { deleteBlob, getBlob } from './blobs.ts';
import { type Exchange, paginate, sendJson } from './exchange.ts';
import { deleteManifest, getManifest, getReferrers, putManifest } from './manifests.ts';
import { isRepositoryName } from './names.ts';
import { ProtocolError } from './protocol-error.ts';
import type { RegistryStorage } from './storage.ts';
import { deleteUpload, getUpload, patchUpload, postUpload, putUpload } from './uploads.ts';
import type { UploadSessions } from './upload-sessions.ts';

/** Answers a request for one resource of a repository; `item` is the last part of its path. */
type Handler = (exchange: Exchange, item: string) => Promise<void>;

interface Resource {
  /** Matches the path after `/v2/`: the repository, then the item. The greedy name makes `a/blobs/b/manifests/x` belong to `a/blobs/b`. */
  readonly path: RegExp;
  readonly methods: Readonly<Record<string, Handler>>;
}

/** The endpoints of distribution-spec 1.1. */
const resources: readonly Resource[] = [
  { path: /^(.+)\/blobs\/uploads\/?()$/, methods: { POST: postUpload } },
  {
    path: /^(.+)\/blobs\/uploads\/([^/]+)$/,
    methods: { GET: getUpload, PATCH: patchUpload, PUT: putUpload, DELETE: deleteUpload },
  },
  { path: /^(.+)\/blobs\/([^/]+)$/, methods: { GET: getBlob, HEAD: getBlob, DELETE: deleteBlob } },
  {
    path: /^(.+)\/manifests\/([^/]+)$/,
    methods: { GET: getManifest, HEAD: getManifest, PUT: putManifest, DELETE: deleteManifest },
  },
  { path: /^(.+)\/tags\/list()$/, methods: { GET: listTags, HEAD: listTags } },
  { path: /^(.+)\/referrers\/([^/]+)$/, methods: { GET: getReferrers, HEAD: getReferrers } },
];

export interface RegistryService {
  readonly storage: RegistryStorage;
  readonly uploads: UploadSessions;
}

/** @throws ProtocolError */
export async function route(
  service: RegistryService,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { path, query } = target(request);
  if (path === '/v2/' || path === '/v2') return ping(request, response);
  if (path === '/v2/_catalog') return listRepositories(service, { request, response, query });
  const below = path.startsWith('/v2/') ? path.slice('/v2/'.length) : '';
  for (const { path: pattern, methods } of resources) {
    const [, name, item] = pattern.exec(below) ?? [];
    if (name === undefined || item === undefined) continue;
    const handler = Object.hasOwn(methods, request.method ?? '') ? methods[request.method ?? ''] : undefined;
    if (handler === undefined) throw notAllowed(request, Object.keys(methods));
    if (!isRepositoryName(name)) throw new ProtocolError('NAME_INVALID', 'the repository name is not valid');
    return handler({ ...service, request, response, name, query, repository: service.storage.repository(name) }, item);
  }
  throw new ProtocolError('UNSUPPORTED', 'there is nothing here', { status: 404 });
}

/** The path as sent: `..` is not resolved, since no part that passes our checks can be one. */
function target(request: IncomingMessage): { readonly path: string; readonly query: URLSearchParams } {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  try {
    const path = decodeURIComponent(mark < 0 ? url : url.slice(0, mark));
    return { path, query: new URLSearchParams(mark < 0 ? '' : url.slice(mark)) };
  } catch {
    throw new ProtocolError('NAME_INVALID', 'the path is not valid');
  }
}

function ping(request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed(request, ['GET', 'HEAD']);
  sendJson({ request, response }, { document: {} });
}

async function listTags(exchange: Exchange): Promise<void> {
  const { name, query, repository } = exchange;
  if (!(await repository.exists())) throw new ProtocolError('NAME_UNKNOWN', `there is no repository ${name}`);
  const { items, headers } = paginate(await repository.tags(), query, `/v2/${name}/tags/list`);
  sendJson(exchange, { document: { name, tags: items }, headers });
}

async function listRepositories(
  { storage }: RegistryService,
  exchange: Pick<Exchange, 'request' | 'response' | 'query'>,
): Promise<void> {
  if (exchange.request.method !== 'GET') throw notAllowed(exchange.request, ['GET']);
  const { items, headers } = paginate(await storage.repositories(), exchange.query, '/v2/_catalog');
  sendJson(exchange, { document: { repositories: items }, headers });
}

function notAllowed(request: IncomingMessage, allowed: readonly string[]): ProtocolError {
  return new ProtocolError('UNSUPPORTED', `${request.method ?? 'this'} is not possible here`, {
    headers: { allow: allowed.join(', ') },
  });
}
