import { notAllowed } from '../endpoints.ts';
import type { ServerLayer } from '../pipeline.ts';
import { ProtocolError } from '../protocol-error.ts';
import type { CompleteRules, DeletionRules } from '../rules.ts';

/** Refuses what the registry's rules forbid: every write where it is read-only, and deletions that are switched off. */
export function obeyRules({ readOnly, deletion }: CompleteRules): ServerLayer {
  return async ({ request, endpoint }, next) => {
    const method = request.method ?? '';
    if (readOnly && (endpoint?.action === 'push' || endpoint?.action === 'delete')) {
      throw new ProtocolError('UNSUPPORTED', 'this registry is read-only', { headers: { allow: 'GET, HEAD' } });
    }
    if (endpoint?.action === 'delete') {
      const kind = kindOf(endpoint.route, endpoint.item);
      if (kind !== undefined && !deletion[kind]) throw notAllowed(method, ['GET', 'HEAD']);
    }
    return next();
  };
}

function kindOf(route: string, item: string): keyof DeletionRules | undefined {
  if (route === 'blob') return 'blobs';
  if (route !== 'manifest') return undefined;
  return item.includes(':') ? 'manifests' : 'tags';
}
