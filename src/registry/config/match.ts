import type { RegistryEntry } from './registries-conf.ts';

/** How an entry fits a repository: the part of the name that its prefix stands for. */
export interface Match {
  readonly entry: RegistryEntry;
  readonly length: number;
}

/**
 * The `[[registry]]` whose prefix fits best: the longest.
 * @param name `docker.io/library/debian`
 */
export function matchEntry(entries: ReadonlyMap<string, RegistryEntry>, name: string): Match | undefined {
  let best: Match | undefined;
  for (const entry of entries.values()) {
    const length = matchedLength(entry.prefix, name);
    if (length === undefined) continue;
    if (best === undefined || isCloser({ entry, length }, best)) best = { entry, length };
  }
  return best;
}

/** Of two that stand for the same part, the one without a wildcard, else the longer one. */
function isCloser(one: Match, other: Match): boolean {
  if (one.length !== other.length) return one.length > other.length;
  const [a, b] = [one.entry.prefix, other.entry.prefix];
  if (a.startsWith('*') !== b.startsWith('*')) return b.startsWith('*');
  return a.length > b.length;
}

/**
 * The length of what a prefix stands for; undefined where it does not fit. Whole parts must be equal: `host/a` fits
 * `host/a/b`, not `host/ab`. `*.example.com` fits hosts below it, at any depth, and on any port.
 */
export function matchedLength(prefix: string, name: string): number | undefined {
  if (prefix.startsWith('*.')) {
    const [host = ''] = name.split('/', 1);
    const bare = host.replace(/:\d+$/, '');
    const suffix = prefix.slice(1);
    return bare.length > suffix.length && bare.endsWith(suffix) ? bare.length : undefined;
  }
  if (name === prefix) return prefix.length;
  return name.startsWith(`${prefix}/`) ? prefix.length : undefined;
}

/** A name with another location in the place of what was matched; itself where there is no location. */
export function relocate(name: string, length: number, location: string | undefined): string {
  return location === undefined ? name : `${location}${name.slice(length)}`;
}
