import { deleteBlob, getBlob } from './blobs.ts';
import { checkEndpoint, type RouteName } from './endpoints.ts';
import { type Exchange, paginate, sendJson } from './exchange.ts';
import { deleteManifest, getManifest, putManifest } from './manifests.ts';
import type { Metrics } from './metrics.ts';
import type { Visit } from './pipeline.ts';
import { ProtocolError } from './protocol-error.ts';
import type { Quotas } from './quotas.ts';
import { getReferrers } from './referrers.ts';
import type { CompleteRules } from './rules.ts';
import type { RegistryStorage } from './storage/storage.ts';
import { deleteUpload, getUpload, patchUpload, postUpload, putUpload } from './uploads.ts';
import type { UploadSessions } from './upload-sessions.ts';

/** Answers a request for one resource of a repository; `item` is the last part of its path. */
type Handler = (exchange: Exchange, item: string) => Promise<void>;

/** HEAD goes to GET's handler, which leaves the body out. */
const handlers: Readonly<
  Record<Exclude<RouteName, 'metrics' | 'ping' | 'catalog'>, Readonly<Record<string, Handler>>>
> = {
  uploads: { POST: postUpload },
  upload: { GET: getUpload, PATCH: patchUpload, PUT: putUpload, DELETE: deleteUpload },
  blob: { GET: getBlob, DELETE: deleteBlob },
  manifest: { GET: getManifest, PUT: putManifest, DELETE: deleteManifest },
  tags: { GET: listTags },
  referrers: { GET: getReferrers },
};

export interface RegistryService {
  readonly storage: RegistryStorage;
  readonly uploads: UploadSessions;
  readonly rules: CompleteRules;
  readonly quotas: Quotas;
  readonly metrics: Metrics;
}

/** @throws ProtocolError */
export async function answerRoute(service: RegistryService, visit: Visit): Promise<void> {
  const { request, response, query } = visit;
  const method = request.method ?? '';
  const { route, name, item } = checkEndpoint(method, visit.endpoint);
  if (route === 'metrics') return tellMetrics(service, visit);
  if (route === 'ping') return sendJson({ request, response }, { document: {} });
  if (route === 'catalog') return listRepositories(service, visit);
  const handler = handlers[route][method === 'HEAD' ? 'GET' : method];
  if (handler === undefined) throw new ProtocolError('UNSUPPORTED', 'there is nothing here', { status: 404 });
  const may = visit.may ?? (() => true);
  const repository = service.storage.repository(name);
  return handler({ ...service, request, response, name, query, may, repository }, item);
}

async function listTags(exchange: Exchange): Promise<void> {
  const { name, query, repository, rules } = exchange;
  if (!(await repository.exists())) {
    throw new ProtocolError('NAME_UNKNOWN', `there is no repository ${name}`, { detail: { name } });
  }
  const path = `/v2/${name}/tags/list`;
  const { items, headers } = paginate(await repository.tags(), { query, path, pageSize: rules.pageSize });
  sendJson(exchange, { document: { name, tags: items }, headers });
}

async function listRepositories({ storage, rules }: RegistryService, visit: Visit): Promise<void> {
  const { query } = visit;
  const { items, headers } = paginate(await storage.repositories(), {
    query,
    path: '/v2/_catalog',
    pageSize: rules.pageSize,
  });
  sendJson(visit, { document: { repositories: items }, headers });
}

async function tellMetrics({ storage, uploads, rules, quotas, metrics }: RegistryService, visit: Visit): Promise<void> {
  if (!rules.metrics) throw new ProtocolError('UNSUPPORTED', 'there is nothing here', { status: 404 });
  const repositories = (await storage.repositories()).length;
  const body = Buffer.from(
    metrics.text({ openUploads: uploads.open, repositories, storedBytes: await quotas.usage() }),
  );
  visit.response.writeHead(200, {
    'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    'content-length': body.length,
  });
  visit.response.end(visit.request.method === 'HEAD' ? undefined : body);
}
