import { canonicalHost, hub } from '../host.ts';

/**
 * The host that a key of a credential file names: schemes and paths are dropped (`https://index.docker.io/v1/`, as
 * docker writes them), Docker Hub's aliases become one.
 */
export function hostOfKey(key: string): string {
  const bare = key.replace(/^https?:\/\//i, '');
  return canonicalHost(bare.split('/', 1)[0] ?? '');
}

/**
 * How well a key fits a repository: the length of what matches, undefined for no match. Hosts must be equal, ports
 * included; below a host, whole path components of a namespaced key must be (containers-auth.json(5)): `host/a` fits
 * `host/a/b`, not `host/ab`.
 */
export function matchLength(key: string, host: string, repository: string): number | undefined {
  const wanted = canonicalHost(host);
  if (hostOfKey(key) !== wanted) return undefined;
  if (/^https?:\/\//i.test(key)) return 0;
  const path = key.split('/').slice(1).join('/').replace(/\/+$/, '');
  // old docker keys for the Hub's API versions are no namespaces
  if (path === '' || (wanted === hub.name && /^v[12]$/.test(path))) return 0;
  return repository === path || repository.startsWith(`${path}/`) ? path.length : undefined;
}

/** The best fitting key; the longest namespace wins, then the one spelled exactly as the host. */
export function bestKey(keys: readonly string[], host: string, repository: string): string | undefined {
  let best: { key: string; rank: number } | undefined;
  for (const key of keys) {
    const length = matchLength(key, host, repository);
    if (length === undefined) continue;
    const rank = length * 2 + (key === host ? 1 : 0);
    if (best === undefined || rank > best.rank) best = { key, rank };
  }
  return best?.key;
}
