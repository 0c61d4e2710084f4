import { isRepositoryName } from './names.ts';
import { ProtocolError } from './protocol-error.ts';

/** The resources of distribution-spec 1.1, as they are called in logs and metrics. */
export type RouteName =
  | 'metrics'
  | 'ping'
  | 'catalog'
  | 'uploads'
  | 'upload'
  | 'blob'
  | 'manifest'
  | 'tags'
  | 'referrers';

/** What one needs to be allowed, as token servers call it. */
export type AccessAction = 'none' | 'metrics' | 'catalog' | 'pull' | 'push' | 'delete';

/** What a path names. */
export interface Endpoint {
  readonly route: RouteName;
  readonly action: AccessAction;
  /** The repository; empty for what belongs to none. Not checked yet: `checkEndpoint` does. */
  readonly name: string;
  /** The last part of the path: a tag, a digest, an upload's id. */
  readonly item: string;
}

interface Route {
  readonly route: RouteName;
  /** Matches the path after `/v2/`: the repository, then the item. The greedy name makes `a/blobs/b/manifests/x` belong to `a/blobs/b`. */
  readonly path: RegExp;
  readonly methods: readonly string[];
}

const reading = ['GET', 'HEAD'] as const;

const routes: readonly Route[] = [
  { route: 'ping', path: /^()()$/, methods: reading },
  { route: 'catalog', path: /^()_catalog()$/, methods: reading },
  { route: 'uploads', path: /^(.+)\/blobs\/uploads\/?()$/, methods: ['POST'] },
  { route: 'upload', path: /^(.+)\/blobs\/uploads\/([^/]+)$/, methods: ['GET', 'PATCH', 'PUT', 'DELETE'] },
  { route: 'blob', path: /^(.+)\/blobs\/([^/]+)$/, methods: [...reading, 'DELETE'] },
  { route: 'manifest', path: /^(.+)\/manifests\/([^/]+)$/, methods: [...reading, 'PUT', 'DELETE'] },
  { route: 'tags', path: /^(.+)\/tags\/list()$/, methods: reading },
  { route: 'referrers', path: /^(.+)\/referrers\/([^/]+)$/, methods: reading },
];

/** What is asked for by `method` of `path`; undefined where there is nothing of that name. */
export function endpointOf(method: string, path: string): Endpoint | undefined {
  if (path === '/metrics') return { route: 'metrics', action: 'metrics', name: '', item: '' };
  const below = path === '/v2' ? '' : path.startsWith('/v2/') ? path.slice('/v2/'.length) : undefined;
  if (below === undefined) return undefined;
  for (const { route, path: pattern } of routes) {
    const [, name, item] = pattern.exec(below) ?? [];
    if (name !== undefined && item !== undefined) return { route, action: actionOf(route, method), name, item };
  }
  return undefined;
}

function actionOf(route: RouteName, method: string): AccessAction {
  if (route === 'ping') return 'none';
  if (route === 'catalog') return 'catalog';
  if (route === 'uploads' || route === 'upload') return 'push';
  if (method === 'GET' || method === 'HEAD') return 'pull';
  return method === 'DELETE' ? 'delete' : 'push';
}

/** @throws ProtocolError UNSUPPORTED (404, 405), NAME_INVALID */
export function checkEndpoint(method: string, endpoint: Endpoint | undefined): Endpoint {
  if (endpoint === undefined) throw new ProtocolError('UNSUPPORTED', 'there is nothing here', { status: 404 });
  const { methods = reading } = routes.find(({ route }) => route === endpoint.route) ?? {};
  if (!methods.includes(method)) throw notAllowed(method, methods);
  if (endpoint.name !== '' && !isRepositoryName(endpoint.name)) {
    throw new ProtocolError('NAME_INVALID', 'the repository name is not valid', { detail: { name: endpoint.name } });
  }
  return endpoint;
}

export function notAllowed(method: string, allowed: readonly string[]): ProtocolError {
  return new ProtocolError('UNSUPPORTED', `${method.slice(0, 32)} is not possible here`, {
    headers: { allow: allowed.join(', ') },
  });
}
