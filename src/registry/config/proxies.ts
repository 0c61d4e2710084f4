import { isIP } from 'node:net';
import { isLoopback } from '../host.ts';
import { bareHost, parseNetwork, portOf, splitPort } from './networks.ts';
import type { Place } from './place.ts';
import { parseProxyUrl } from './proxy-url.ts';

/** A proxy, and which variable or file names it. */
export interface Proxy {
  readonly url: URL;
  readonly place: Place;
}

/** Which proxy a URL is reached through; undefined for none. */
export type ProxyFor = (url: URL) => Proxy | undefined;

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The proxies of HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; names in small letters go first, as with curl.
 * Loopback is never proxied.
 * @throws RegistryError CONFIG, at the first URL that would go through what is no proxy
 */
export function environmentProxies(variables: Variables): ProxyFor {
  const exceptions = parseNoProxy(variable(variables, 'NO_PROXY')?.value ?? '');
  const known = new Map<string, Proxy | undefined>();
  return (url) => {
    if (isLoopback(url.hostname) || exceptions(url)) return undefined;
    if (!known.has(url.protocol)) known.set(url.protocol, schemeProxy(variables, url.protocol));
    return known.get(url.protocol);
  };
}

function schemeProxy(variables: Variables, protocol: string): Proxy | undefined {
  const own = variable(variables, protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  const found = own ?? variable(variables, 'ALL_PROXY');
  if (found === undefined) return undefined;
  const place = { source: found.name };
  return { url: parseProxyUrl(found.value, place), place };
}

function variable(variables: Variables, name: string): { readonly name: string; readonly value: string } | undefined {
  for (const spelling of [name.toLowerCase(), name]) {
    const value = variables[spelling]?.trim();
    if (value) return { name: spelling, value };
  }
  return undefined;
}

/**
 * Hosts that are reached directly, as Go's clients read NO_PROXY: `*`; addresses and networks (`10.0.0.0/8`), which
 * names are never resolved for; `example.com`, with what is below it; `.example.com` and `*.example.com`, only what is
 * below; each with an optional port.
 */
export function parseNoProxy(list: string): (url: URL) => boolean {
  const rules = list
    .split(/[\s,]+/)
    .filter((item) => item !== '')
    .map(rule);
  return (url) => rules.some((applies) => applies(bareHost(url.hostname), portOf(url)));
}

function rule(item: string): (host: string, port: string) => boolean {
  if (item === '*') return () => true;
  const network = parseNetwork(item);
  if (network !== undefined) return (host) => network.has(host);
  const { host: name, port: wanted } = splitPort(item.toLowerCase());
  const portFits = (port: string): boolean => wanted === '' || wanted === port;
  if (isIP(name) !== 0) return (host, port) => host === name && portFits(port);
  const below = name.replace(/^\*?\./, '');
  const onlyBelow = below !== name;
  return (host, port) => portFits(port) && (host.endsWith(`.${below}`) || (!onlyBelow && host === below));
}
