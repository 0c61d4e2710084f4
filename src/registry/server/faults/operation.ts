import { endpointOf, type RouteName } from '../endpoints.ts';
import type { Operation } from './fault.ts';

const named: Readonly<Record<RouteName, Readonly<Record<string, Operation>>>> = {
  metrics: {},
  ping: { GET: 'ping', HEAD: 'ping' },
  catalog: { GET: 'catalog', HEAD: 'catalog' },
  uploads: { POST: 'start-upload' },
  upload: { GET: 'upload-status', PATCH: 'patch', PUT: 'put-blob', DELETE: 'cancel-upload' },
  blob: { GET: 'get-blob', HEAD: 'head-blob', DELETE: 'delete-blob' },
  manifest: { GET: 'get-manifest', HEAD: 'head-manifest', PUT: 'put-manifest', DELETE: 'delete-manifest' },
  tags: { GET: 'tags', HEAD: 'tags' },
  referrers: { GET: 'referrers', HEAD: 'referrers' },
};

/** Names what a request asks for; `path` without its query. */
export function operationOf(method: string, path: string): Operation {
  const endpoint = endpointOf(method, path);
  if (endpoint === undefined) return path.endsWith('/token') ? 'token' : 'other';
  return named[endpoint.route][method] ?? 'other';
}
