import type { Mirror, SettledEndpoint } from '../config/endpoint.ts';
import { call, connect, type RegistryOptions, type RepositoryConnection } from './connection.ts';
import { Mirrors } from './mirrors.ts';
import { sharedSession } from './session.ts';

const defaultMirrorTimeout = 2000;

/** The mirrors of a repository, each with a connection of its own that is made when it is first used. */
export function openMirrors(
  mirrors: readonly Mirror[],
  options: RegistryOptions & { readonly mirrorTimeout?: number | undefined },
): Mirrors {
  const { session = sharedSession(), mirrorTimeout = defaultMirrorTimeout, warn } = options;
  const connections = new Map<string, RepositoryConnection>();
  const connectionTo = (endpoint: SettledEndpoint): RepositoryConnection => {
    const key = `${endpoint.scheme}://${endpoint.host}${endpoint.path}/${endpoint.repository}`;
    const known = connections.get(key) ?? openMirror(endpoint, options);
    connections.set(key, known);
    return known;
  };
  return new Mirrors({
    mirrors,
    health: session.mirrorHealth,
    limit: mirrorTimeout,
    send: (endpoint, request) => call(connectionTo(endpoint), request),
    warn,
  });
}

function openMirror(endpoint: SettledEndpoint, options: RegistryOptions): RepositoryConnection {
  // a credential that was given is the registry's: a mirror has its own, or none
  const credential = options.credential === 'anonymous' ? 'anonymous' : undefined;
  return { ...connect(endpoint.host, endpoint.repository, { ...options, endpoint, credential }), actions: ['pull'] };
}
