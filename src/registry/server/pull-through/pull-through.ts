import { canonicalHost, serverHost } from '../../host.ts';
import type { ServerLayer } from '../pipeline.ts';
import { ProtocolError } from '../protocol-error.ts';
import type { RegistryRules } from '../rules.ts';
import type { RegistryStorage } from '../storage/storage.ts';
import { type PullThroughOptions, pullThroughStorage } from './pull-through-storage.ts';

/** What makes the embedded registry a cache of another one. */
export interface PullThrough {
  readonly storage: RegistryStorage;
  readonly rules: RegistryRules;
  readonly layers: readonly ServerLayer[];
}

/** A registry that has what its upstream has, and takes nothing itself. */
export function openPullThrough(options: PullThroughOptions): PullThrough {
  return {
    storage: pullThroughStorage(options),
    rules: { readOnly: true },
    layers: [answerForUpstream(options.host), refuseWrites(options.host)],
  };
}

/**
 * Clients that have one mirror for several registries say which one they mean (`?ns=`, distribution-spec 1.2); the answer
 * for another one than ours must never be ours.
 */
function answerForUpstream(host: string): ServerLayer {
  return async ({ query, response, endpoint }, next) => {
    const wanted = query.get('ns');
    if (endpoint !== undefined && wanted !== null && canonicalHost(wanted) !== serverHost(host)) {
      throw new ProtocolError('NAME_UNKNOWN', `this registry passes on what ${host} has, and nothing else`);
    }
    if (endpoint !== undefined && endpoint.name !== '') response.setHeader('oci-namespace', serverHost(host));
    return next();
  };
}

function refuseWrites(host: string): ServerLayer {
  return async ({ endpoint }, next) => {
    if (endpoint?.action === 'push' || endpoint?.action === 'delete') {
      throw new ProtocolError('UNSUPPORTED', `this registry passes on what ${host} has: push there`, {
        headers: { allow: 'GET, HEAD' },
      });
    }
    return next();
  };
}
